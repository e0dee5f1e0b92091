import type { access as words } from '../en/access';

export const access: Record<keyof typeof words, string> = {};
