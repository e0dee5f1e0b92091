import type { Client } from './client';

/// Records of the ledger (GET /v1/audit…). Anything may be absent: older records and erased ones hold less.

export interface AuditOpened {
  request?: string;
  action?: string;
  subject?: string;
  resource?: string;
  principal?: { tenant?: string; user?: string; key?: string; roles?: string[]; desk?: string; purpose?: string };
}

export interface AuditPassage {
  chunk?: number;
  sha256?: string;
  document?: string;
  page?: number;
  citation?: number;
  /// Of an explanation: whether the passage is still what it was.
  now?: 'same' | 'changed' | 'gone' | 'unknown';
  title?: string;
  text?: string;
}

export interface AuditVerdict {
  rule?: string;
  version?: string;
  verdict?: string;
  detail?: string;
}

export interface AuditTool {
  name?: string;
  input?: string;
  output?: string;
}

export interface AuditClosed {
  outcome?: string;
  /** The class of what was read, where it is above the reader's clearance: the texts are left out. */
  withheld?: string;
  passages?: AuditPassage[];
  verdicts?: AuditVerdict[];
  tools?: AuditTool[];
  output?: string;
  prompt_sha256?: string;
  model?: string;
  model_sha256?: string;
  lora_sha256?: string;
  sampling?: Record<string, unknown>;
  usage?: { prompt_tokens?: number; cached_tokens?: number; completion_tokens?: number };
  total_ms?: number | null;
}

export interface AuditRecord {
  index: number;
  kind: string;
  time: string;
  tenant?: string;
  erased?: boolean;
  opened_index?: number;
  closed_index?: number;
  opened?: AuditOpened;
  closed?: AuditClosed;
}

export interface AuditProof {
  index: number;
  size: number;
  leaf: string;
  entry: string;
  hashes: string[];
  root: string;
  checkpoint: string;
  verifier_key: string;
}

export interface Explanation {
  passages: AuditPassage[];
  versions?: { heng?: string; rules?: Record<string, string> };
  replayable?: boolean;
  people?: {
    reviews?: { id: string; state: string; rule: string; reason: string; votes: { reviewer: string; decision: string; reason: string; time: string }[] }[];
    ratings?: { user: string; stars: number; comment: string; time: string }[];
  };
}

export async function records(client: Client, limit: number, before?: number): Promise<AuditRecord[]> {
  const query = new URLSearchParams({ limit: `${limit}` });
  if (before !== undefined) query.set('before', `${before}`);
  return (await client.get<{ records: AuditRecord[] }>(`/v1/audit?${query}`)).records;
}

export const record = (client: Client, index: number): Promise<AuditRecord> => client.get(`/v1/audit/${index}`);
export const proof = (client: Client, index: number): Promise<AuditProof> => client.get(`/v1/audit/${index}/proof`);
export const explanation = (client: Client, index: number): Promise<Explanation> => client.get(`/v1/audit/${index}/explain`);
export const explanationPage = (client: Client, index: number, language: string): Promise<string> =>
  client.text(`/v1/audit/${index}/explain?format=html&lang=${language}`);
