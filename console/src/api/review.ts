import type { Client } from './client';

/// The review queue (GET /v1/reviews…).

export type ReviewState = 'waiting' | 'approved' | 'rejected' | 'expired';
export type Decision = 'approve' | 'edit' | 'reject';

export interface ReviewItem {
  id: string;
  state: ReviewState;
  kind: string;
  resource: string;
  question: string;
  evidence: { document: string; page: number; sha256: string; text: string }[];
  text: string;
  sha256: string;
  rule: string;
  reason: string;
  approvals: number;
  approvals_needed: number;
  escalated: boolean;
  redeemed: boolean;
  created: string | null;
  due: string | null;
  expires: string | null;
  decided: string | null;
  valid_until: string | null;
  votes: { reviewer: string; decision: Decision; sha256: string; reason: string; time: string | null }[];
  author: string;
  audit_index: number;
}

export interface Reviewer {
  reviewer: string;
  decisions: number;
  approved: number;
  edited: number;
  rejected: number;
  planted: number;
  caught: number;
  catch_rate: number | null;
  catch_rate_interval: [number, number];
  median_seconds: number;
}

export interface Quality {
  reviewers: Reviewer[];
  pairs: number;
  agreement: number | null;
  kappa: number | null;
  waiting: number;
  overdue: number;
  approved: number;
  rejected: number;
  expired: number;
}

const path = (id: string) => `/v1/reviews/${encodeURIComponent(id)}`;

export async function reviews(client: Client, state: ReviewState | 'all'): Promise<ReviewItem[]> {
  return (await client.get<{ reviews: ReviewItem[] }>(`/v1/reviews?limit=200&state=${state}`)).reviews;
}

export const review = (client: Client, id: string): Promise<ReviewItem> => client.get(path(id));
export const quality = (client: Client): Promise<Quality> => client.get('/v1/reviews/quality');

/// `sha256` is of the text that was read: where it has changed since, the program answers with a conflict.
export const decide = (client: Client, id: string, choice: { decision: Decision; sha256: string; text?: string; reason?: string }): Promise<ReviewItem> =>
  client.post(`${path(id)}/decide`, choice);
