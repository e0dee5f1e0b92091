import { describe, expect, it } from 'vitest';
import type { Client } from '../src/api/client';
import type { StreamItem } from '../src/api/market';
import { parseMetrics, sum } from '../src/api/monitor';
import { rolesOf } from '../src/rooms/access/roles';
import { toneOverTime, toneTask } from '../src/rooms/market/tone';
import { Figures, rateOf } from '../src/rooms/monitor/figures.svelte';
import { isOverdue } from '../src/rooms/review/due';

const text = `# HELP heng_http_requests_total Finished requests.
# TYPE heng_http_requests_total counter
heng_http_requests_total{method="GET",route="/v1/kb",status="200"} 10
heng_http_requests_total{method="GET",route="/v1/keys",status="403"} 4
heng_http_requests_total{method="GET",route="/metrics",status="200"} 100
heng_tokens_total{kind="prompt",model="a \\"b\\", c"} 7
heng_tokens_total{kind="cached",model="m"} 5
heng_http_queue{pool="work"} 2
heng_answers_total{verdict="released"} 3
heng_ledger_records 42
broken{ 1
heng_nan NaN
`;

describe('metrics', () => {
  it('are read with their labels; what is no sample is left out', () => {
    const samples = parseMetrics(text);
    expect(samples).toHaveLength(8);
    expect(samples[3]?.labels).toEqual({ kind: 'prompt', model: 'a "b", c' });
    expect(sum(samples, 'heng_http_requests_total')).toBe(114);
    expect(sum(samples, 'heng_http_requests_total', (labels) => labels.status === '403')).toBe(4);
    expect(sum(samples, 'nothing')).toBe(0);
  });

  it('become rates a minute; a restart starts from nothing', () => {
    expect(rateOf({ at: 0, value: 10 }, { at: 5000, value: 20 })).toBe(120);
    expect(rateOf({ at: 0, value: 10 }, { at: 5000, value: 2 })).toBe(0);
    expect(rateOf({ at: 5, value: 1 }, { at: 5, value: 9 })).toBe(0);
  });

  it('make lines: rates from the second reading on, levels at once, own readings left out', () => {
    const figures = new Figures({} as Client);
    figures.take(parseMetrics(text), 0);
    expect(figures.lines.requests).toEqual([]);
    expect(figures.lines.queue).toEqual([{ at: 0, value: 2 }]);
    figures.take(parseMetrics(text.replace('} 10\n', '} 12\n').replace('} 100\n', '} 900\n')), 60_000);
    expect(figures.lines.requests).toEqual([{ at: 60_000, value: 2 }]);
    expect(figures.lines.refusals).toEqual([{ at: 60_000, value: 0 }]);
    expect(figures.totals).toEqual({ requests: 16, tokens: 7, queue: 2, refusals: 4 });
    expect(figures.records).toBe(42);
    expect(figures.verdicts).toEqual([{ name: 'released', value: 3 }]);
  });
});

describe('tone', () => {
  const item = (minute: number, label: string, task = 'sentiment-zh') =>
    ({ published: new Date(Date.UTC(2026, 10, 24, 8, minute)).toISOString(), ingested: null, labels: [{ task, label, confidence: 1, tier: 'linear' }] }) as unknown as StreamItem;

  it('is counted over time', () => {
    const items = [item(0, 'positive'), item(1, '负面'), item(9, 'NEGATIVE'), item(9, 'neutral'), item(5, 'fraud', 'news')];
    const buckets = toneOverTime(items, 'sentiment-zh', 2);
    expect(buckets.map(({ good, bad, neutral }) => [good, bad, neutral])).toEqual([[1, 1, 0], [0, 1, 1]]);
    expect(toneOverTime(items, 'absent', 2)).toEqual([]);
    expect(toneOverTime([item(3, 'positive')], 'sentiment-zh', 4).map((bucket) => bucket.good)).toEqual([1, 0, 0, 0]);
  });

  it('is that of the task that speaks of it', () => {
    expect(toneTask([item(0, 'fraud', 'news'), item(0, 'positive')])).toBe('sentiment-zh');
    expect(toneTask([item(0, 'fraud', 'news')])).toBeUndefined();
  });
});

describe('small rules', () => {
  it('roles are split at any comma, each once', () => {
    expect(rolesOf(' auditor，reviewer, auditor、risk ')).toEqual(['auditor', 'reviewer', 'risk']);
    expect(rolesOf('')).toEqual([]);
  });

  it('what waits beyond its time is overdue, what is decided is not', () => {
    const now = Date.parse('2026-11-24T10:00:00Z');
    expect(isOverdue({ state: 'waiting', due: '2026-11-24T09:59:00Z', escalated: false }, now)).toBe(true);
    expect(isOverdue({ state: 'waiting', due: '2026-11-24T10:01:00Z', escalated: false }, now)).toBe(false);
    expect(isOverdue({ state: 'waiting', due: '2026-11-24T10:01:00Z', escalated: true }, now)).toBe(true);
    expect(isOverdue({ state: 'approved', due: '2026-11-24T09:00:00Z', escalated: true }, now)).toBe(false);
  });
});
