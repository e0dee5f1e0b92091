import type { market as words } from '../en/market';

export const market: Record<keyof typeof words, string> = {};
