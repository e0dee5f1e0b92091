import type { Client } from './client';

/// Stop buttons (/v1/stops), the program's own figures (/metrics) and the report over the ledger (/v1/monitor).

export const stopKinds = ['model', 'tool', 'desk', 'tenant', 'everything'] as const;
export type StopKind = (typeof stopKinds)[number];

export interface Stop {
  id: number;
  kind: StopKind;
  name: string;
  tenant: string | null;
  reason: string;
  stopped_by: string;
  stopped: string | null;
  resume_asked_by: string;
  resume_asked: string | null;
  resumed_by: string;
  resumed: string | null;
  halts: boolean;
}

export interface Report {
  from: string;
  to: string;
  records: number;
  requests: number;
  answers: number;
  outcomes: Record<string, number>;
  verdicts: Record<string, number>;
  latency_ms: { p50: number | null; p95: number | null };
  ratings: { good: number; bad: number };
  drift: Record<string, { psi: number | null; ks: number | null }>;
  alerts: { alert: string; value: number; limit: number }[];
}

export async function stops(client: Client): Promise<Stop[]> {
  return (await client.get<{ stops: Stop[] }>('/v1/stops?lifted=true')).stops;
}

export const press = (client: Client, kind: StopKind, name: string, reason: string): Promise<Stop> =>
  client.post('/v1/stops', { kind, ...(kind === 'everything' ? {} : { name }), reason });
export const resume = (client: Client, id: number, reason: string): Promise<Stop> => client.post(`/v1/stops/${id}/resume`, { reason });
export const report = (client: Client, hours: number): Promise<Report> => client.get(`/v1/monitor?hours=${hours}`);

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/// Reads the text format of Prometheus 0.0.4. Comments and lines that are none are left out.
export function parseMetrics(text: string): Sample[] {
  const found: Sample[] = [];
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line);
    if (!match) continue;
    const labels: Record<string, string> = {};
    for (const [, name, value] of (match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      if (name) labels[name] = (value ?? '').replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
    }
    const value = Number(match[3]);
    if (match[1] && Number.isFinite(value)) found.push({ name: match[1], labels, value });
  }
  return found;
}

/// The sum of a metric's samples whose labels pass.
export function sum(samples: readonly Sample[], name: string, passes: (labels: Record<string, string>) => boolean = () => true): number {
  return samples.reduce((total, sample) => (sample.name === name && passes(sample.labels) ? total + sample.value : total), 0);
}
