import type { ReviewItem } from '../../api/review';

/// How often "due in 5 minutes" is written anew.
export const tickMs = 20_000;

export function isOverdue(item: Pick<ReviewItem, 'state' | 'due' | 'escalated'>, now: number): boolean {
  return item.state === 'waiting' && (item.escalated || (item.due !== null && new Date(item.due).getTime() < now));
}
