import type { policies as words } from '../en/policies';

export const policies: Record<keyof typeof words, string> = {};
