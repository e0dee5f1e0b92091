import type { monitor as words } from '../en/monitor';

export const monitor: Record<keyof typeof words, string> = {};
