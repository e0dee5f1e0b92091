import type { StreamItem } from '../../api/market';

/// Words by which tasks name a good or bad tone.
const good = new Set(['positive', 'bullish', 'good', '正面', '积极', '利好', '看多', '1']);
const bad = new Set(['negative', 'bearish', 'bad', '负面', '消极', '利空', '看空', '-1']);

export type Tone = 'good' | 'bad' | 'neutral';

export function toneOf(label: string): Tone {
  const word = label.toLowerCase();
  return good.has(word) ? 'good' : bad.has(word) ? 'bad' : 'neutral';
}

export interface Bucket {
  from: number;
  good: number;
  bad: number;
  neutral: number;
}

const timeOf = (item: StreamItem) => new Date(item.published ?? item.ingested ?? NaN).getTime();

/// Counts of good, bad and other labels of one task over time, in `count` equal parts from the first to the last item.
export function toneOverTime(items: readonly StreamItem[], task: string, count: number): Bucket[] {
  const marked = items.flatMap((item) => {
    const at = timeOf(item);
    const found = item.labels.find((one) => one.task === task);
    return found && !Number.isNaN(at) ? [{ at, tone: toneOf(found.label) }] : [];
  });
  if (marked.length === 0) return [];
  const from = Math.min(...marked.map((one) => one.at));
  const step = Math.max(1, (Math.max(...marked.map((one) => one.at)) - from + 1) / count);
  const buckets = Array.from({ length: count }, (_, at) => ({ from: from + at * step, good: 0, bad: 0, neutral: 0 }));
  for (const { at, tone } of marked) {
    const bucket = buckets[Math.min(count - 1, Math.floor((at - from) / step))];
    if (bucket) bucket[tone]++;
  }
  return buckets;
}

/// The task of a stream whose labels speak of tone, if there is one.
export function toneTask(items: readonly StreamItem[]): string | undefined {
  for (const item of items) {
    const found = item.labels.find((one) => toneOf(one.label) !== 'neutral' || one.task.startsWith('sentiment'));
    if (found) return found.task;
  }
  return undefined;
}
