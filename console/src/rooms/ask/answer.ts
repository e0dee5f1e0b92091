import type { Figure, Sentence } from '../../api/types';

/// How a verified sentence is drawn: runs of text, figures with their verdict, citation marks.
export type Piece =
  | { kind: 'text'; text: string }
  | { kind: 'figure'; text: string; figure: Figure }
  | { kind: 'citation'; n: number };

/// A paragraph of the answer: sentences in order, and where sentences were withheld.
export interface Paragraph {
  parts: { sentence: Sentence; start: number | undefined; gap: string }[];
}

interface Span {
  begin: number;
  end: number;
  piece: Piece[];
}

const citationMark = /\[(\d{1,3}(?:\s*[,，、]\s*\d{1,3})*)\]/g;

/// The pieces of a sentence. `start` is the sentence's offset in the answer in code points, which figures count from.
/// Citations that the text does not show are added at its end.
export function piecesOf(sentence: Sentence, start?: number): Piece[] {
  const { text } = sentence;
  const spans: Span[] = [];
  const shown = new Set<number>();
  for (const match of text.matchAll(citationMark)) {
    const numbers = (match[1] ?? '').split(/[,，、]/).map(Number);
    if (!numbers.every((n) => sentence.citations.includes(n))) continue;
    numbers.forEach((n) => shown.add(n));
    spans.push({ begin: match.index, end: match.index + match[0].length, piece: numbers.map((n) => ({ kind: 'citation', n })) });
  }
  for (const figure of sentence.figures) {
    const begin = placeOf(figure, text, start, spans);
    if (begin === undefined) continue;
    const end = begin + figure.text.length;
    spans.push({ begin, end, piece: [{ kind: 'figure', text: text.slice(begin, end), figure }] });
  }
  spans.sort((a, b) => a.begin - b.begin);
  const pieces: Piece[] = [];
  let at = 0;
  for (const span of spans) {
    if (span.begin > at) pieces.push({ kind: 'text', text: text.slice(at, span.begin) });
    pieces.push(...span.piece);
    at = span.end;
  }
  if (at < text.length) pieces.push({ kind: 'text', text: text.slice(at) });
  for (const n of sentence.citations) if (!shown.has(n)) pieces.push({ kind: 'citation', n });
  return pieces;
}

/// Where a figure stands in the sentence, in UTF-16 units: at its stated offset where the text agrees, else at the first
/// free place that is not part of a longer number.
function placeOf(figure: Figure, text: string, start: number | undefined, taken: Span[]): number | undefined {
  if (figure.text === '') return undefined;
  const free = (begin: number) => !taken.some((span) => begin < span.end && begin + figure.text.length > span.begin);
  for (const codePoints of start === undefined ? [figure.begin] : [figure.begin - start, figure.begin]) {
    const begin = utf16Offset(text, codePoints);
    if (begin !== undefined && text.startsWith(figure.text, begin) && free(begin)) return begin;
  }
  for (let begin = text.indexOf(figure.text); begin >= 0; begin = text.indexOf(figure.text, begin + 1)) {
    const before = text[begin - 1] ?? '';
    const after = text.slice(begin + figure.text.length);
    const inNumber =
      (/^[\d.]/.test(figure.text) && /[\d.,]/.test(before) && /\d/.test(figure.text[0] ?? '')) ||
      (/\d$/.test(figure.text) && /^(\d|[.,]\d)/.test(after));
    if (!inNumber && free(begin)) return begin;
  }
  return undefined;
}

/// The UTF-16 offset of a code point offset; undefined outside the text.
export function utf16Offset(text: string, codePoints: number): number | undefined {
  if (codePoints < 0) return undefined;
  let offset = 0;
  for (let left = codePoints; left > 0; left--) {
    const point = text.codePointAt(offset);
    if (point === undefined) return undefined;
    offset += point > 0xffff ? 2 : 1;
  }
  return offset;
}

export const codePointLength = (text: string): number => [...text].length;

/// Lays sentences out as the answer's text has them: what stands between two of them decides where paragraphs break.
/// While the answer streams there is no text yet and sentences simply follow each other. Withheld sentences keep their
/// place in the order.
export function layOut(sentences: Sentence[], answer: string): Paragraph[] {
  const paragraphs: Paragraph[] = [];
  let parts: Paragraph['parts'] = [];
  let at = 0;
  for (const sentence of sentences) {
    if (sentence.status === 'withheld') {
      parts.push({ sentence, start: undefined, gap: '' });
      continue;
    }
    const begin = answer === '' ? -1 : answer.indexOf(sentence.text, at);
    const gap = begin < 0 ? spaceBefore(parts, sentence.text) : answer.slice(at, begin);
    if (gap.includes('\n') && parts.some((part) => part.sentence.status !== 'withheld')) {
      paragraphs.push({ parts });
      parts = [];
    }
    const start = begin < 0 ? undefined : codePointLength(answer.slice(0, begin));
    parts.push({ sentence, start, gap: parts.length === 0 ? gap.trim() : gap });
    if (begin >= 0) at = begin + sentence.text.length;
  }
  if (parts.length > 0) paragraphs.push({ parts });
  return paragraphs;
}

function spaceBefore(parts: Paragraph['parts'], text: string): string {
  const previous = parts.at(-1)?.sentence.text ?? '';
  return previous === '' || /[\u3000-\u9fff\uff00-\uffef]\s*(\[\d+\])*$/.test(previous) || /^[\u3000-\u9fff]/.test(text) ? '' : ' ';
}

/// How many sentences stand at each verdict.
export function countByStatus(sentences: Sentence[]): Record<Sentence['status'], number> {
  const counts = { supported: 0, extracted: 0, computed: 0, withheld: 0 };
  for (const sentence of sentences) counts[sentence.status]++;
  return counts;
}
