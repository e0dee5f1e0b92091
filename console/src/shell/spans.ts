/// A part of a text, in Unicode code points, end exclusive, as the program counts.
export interface Span {
  start: number;
  end: number;
}

export interface Piece<T extends Span> {
  text: string;
  spans: T[];
}

/// Cuts a text where spans begin and end. The pieces joined are the text; spans may overlap and reach too far.
export function piecesOf<T extends Span>(text: string, spans: readonly T[]): Piece<T>[] {
  const points = [...text];
  const inside = spans.filter((span) => span.start < span.end && span.start < points.length && span.end > 0);
  const cuts = new Set([0, points.length]);
  for (const span of inside) {
    cuts.add(Math.max(0, span.start));
    cuts.add(Math.min(points.length, span.end));
  }
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((from, at) => ({
    text: points.slice(from, sorted[at + 1]).join(''),
    spans: inside.filter((span) => span.start <= from && span.end > from),
  }));
}
