import type { review as words } from '../en/review';

export const review: Record<keyof typeof words, string> = {};
