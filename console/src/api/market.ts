import type { Client } from './client';

/// Reading texts (/v1/tasks, /v1/label, /v1/extract), streams (/v1/streams, /v1/items) and alerts (/v1/alerts).

export interface Task {
  name: string;
  kind: 'label' | 'events';
  /// What a labelling task reads: a text, or a text with one or two of its entities.
  input?: 'text' | 'entity' | 'pair';
  description: string;
  labels: string[];
  roles: string[];
  tiers: string[];
  metrics: Record<string, number>;
  rows: number;
  evaluation_only: boolean;
}

export interface Evidence {
  start: number;
  end: number;
  weight: number;
}

export interface ItemError {
  code: string;
  message: string;
}

export interface LabelOutcome {
  label?: string | null;
  confidence?: number;
  scores?: Record<string, number>;
  tier?: string;
  abstained?: boolean;
  evidence?: Evidence[];
  error?: ItemError;
}

export interface Mention {
  word: string;
  span: [number, number];
  role: string;
}

export interface MarketEvent {
  type: string;
  confidence: number;
  mentions: Mention[];
}

export interface Entity {
  type: string;
  word: string;
  span?: [number, number];
  id?: string;
  name?: string;
  value?: string;
  /// Of a labelling task about entities.
  label?: string;
  confidence?: number;
}

export interface ExtractOutcome {
  events?: MarketEvent[];
  entities?: Entity[];
  error?: ItemError;
}

export interface StreamInfo {
  name: string;
  items: number;
  duplicates: number;
  near_duplicates: number;
  rejected: number;
  last_ingest: string | null;
  tasks: string[];
}

export interface StreamItem {
  number: number;
  stream: string;
  id: string;
  source: string;
  published: string | null;
  ingested: string | null;
  duplicate_of: number | null;
  copies: number;
  near_copies: number;
  labels: { task: string; label: string; confidence: number; tier: string }[];
  events: MarketEvent[];
  entities: Entity[];
  errors: unknown[];
  text: string;
}

export interface Alert {
  id: number;
  rule: string;
  name: { zh: string; en: string };
  severity: string;
  stream: string;
  key: string;
  raised: string | null;
  count: number;
  suppressed: number;
  text: string;
  state: 'open' | 'acknowledged';
  acknowledged_by: string;
  acknowledged: string | null;
  note: string;
}

export interface ItemFilter {
  stream: string;
  company: string;
  task: string;
  label: string;
}

export async function tasks(client: Client): Promise<Task[]> {
  return (await client.get<{ tasks: Task[] }>('/v1/tasks')).tasks;
}

export async function label(client: Client, task: string, texts: string[], tier: string): Promise<LabelOutcome[]> {
  return (await client.post<{ results: LabelOutcome[] }>('/v1/label', { task, texts, tier, evidence: true })).results;
}

export async function extract(client: Client, task: string, items: string[]): Promise<ExtractOutcome[]> {
  return (await client.post<{ results: ExtractOutcome[] }>('/v1/extract', { task, items })).results;
}

export async function streams(client: Client): Promise<StreamInfo[]> {
  return (await client.get<{ streams: StreamInfo[] }>('/v1/streams')).streams;
}

export async function items(client: Client, filter: ItemFilter, page: { after?: number; before?: number; limit: number }): Promise<StreamItem[]> {
  const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== ''));
  for (const [name, value] of Object.entries(page)) if (value !== undefined) query.set(name, `${value}`);
  return (await client.get<{ items: StreamItem[] }>(`/v1/items?${query}`)).items;
}

export async function alerts(client: Client, state: string): Promise<Alert[]> {
  return (await client.get<{ alerts: Alert[] }>(`/v1/alerts?limit=200&state=${state}`)).alerts;
}

export const acknowledge = (client: Client, id: number, note: string): Promise<Alert> => client.post(`/v1/alerts/${id}/ack`, { note });
