/// Times as the program gives them: ISO 8601, or null where there is none.
export type Time = string | null | undefined;

export function formatTime(time: Time, locale: string): string {
  if (!time) return '—';
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  return date.toLocaleString(locale, { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
}

/// "in 5 minutes", "2 days ago".
export function formatDistance(time: Time, now: number, locale: string): string {
  const at = time ? new Date(time).getTime() : NaN;
  if (Number.isNaN(at)) return '—';
  const seconds = Math.round((at - now) / 1000);
  const words = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [['day', 86_400], ['hour', 3600], ['minute', 60]];
  for (const [unit, size] of steps) if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
  return words.format(seconds, 'second');
}
