import type { Client } from '../../api/client';
import { toApiError, type ApiError } from '../../api/errors';
import { parseMetrics, sum, type Sample } from '../../api/monitor';

export interface Point {
  at: number;
  value: number;
}

const everyMs = 5000;
const mostPoints = 120;
const refusedStatus = new Set(['401', '403', '429']);

/// What is drawn: `rate` per minute from a counter, `level` as it is.
export const series = ['requests', 'tokens', 'queue', 'refusals'] as const;
export type SeriesName = (typeof series)[number];

const readers: Record<SeriesName, { rate: boolean; read: (samples: Sample[]) => number }> = {
  // reading these figures is a request too; it is left out, or the line would never be flat
  requests: { rate: true, read: (samples) => sum(samples, 'heng_http_requests_total', (labels) => labels.route !== '/metrics') },
  tokens: { rate: true, read: (samples) => sum(samples, 'heng_tokens_total', (labels) => labels.kind !== 'cached') },
  queue: {
    rate: false,
    read: (samples) => sum(samples, 'heng_http_queue') + sum(samples, 'heng_model_queue', (labels) => labels.state !== 'active'),
  },
  refusals: { rate: true, read: (samples) => sum(samples, 'heng_http_requests_total', (labels) => refusedStatus.has(labels.status ?? '')) },
};

export const perMinute = (name: SeriesName): boolean => readers[name].rate;

/// The next point of a rate: counters that went down (a restart) start again from nothing.
export function rateOf(before: Point, now: Point): number {
  const minutes = (now.at - before.at) / 60_000;
  return minutes > 0 ? Math.max(0, now.value - before.value) / minutes : 0;
}

/// The program's figures, read every few seconds while the room is open. The program keeps totals only, so the lines
/// begin when the room was entered.
export class Figures {
  lines = $state.raw<Record<SeriesName, Point[]>>({ requests: [], tokens: [], queue: [], refusals: [] });
  totals = $state.raw<Record<SeriesName, number>>();
  verdicts = $state.raw<{ name: string; value: number }[]>([]);
  records = $state.raw(0);
  error = $state.raw<ApiError>();
  private last: Partial<Record<SeriesName, Point>> = {};
  private timer?: ReturnType<typeof setInterval>;

  constructor(private readonly client: Client) {}

  start(): void {
    void this.read();
    this.timer = setInterval(() => void this.read(), everyMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  async read(): Promise<void> {
    try {
      this.take(parseMetrics(await this.client.text('/metrics')), Date.now());
      this.error = undefined;
    } catch (error) {
      this.error = toApiError(error);
      if (this.error.code === 'permission_denied') this.stop();
    }
  }

  take(samples: Sample[], at: number): void {
    const lines = { ...this.lines };
    const totals = {} as Record<SeriesName, number>;
    for (const name of series) {
      const point = { at, value: readers[name].read(samples) };
      totals[name] = point.value;
      const before = this.last[name];
      const value = !readers[name].rate ? point.value : before ? rateOf(before, point) : undefined;
      if (value !== undefined) lines[name] = [...lines[name], { at, value }].slice(-mostPoints);
      this.last[name] = point;
    }
    this.lines = lines;
    this.totals = totals;
    this.records = sum(samples, 'heng_ledger_records');
    this.verdicts = samples
      .filter((sample) => sample.name === 'heng_answers_total')
      .map((sample) => ({ name: sample.labels.verdict ?? '', value: sample.value }))
      .sort((a, b) => b.value - a.value);
  }
}
