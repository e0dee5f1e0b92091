import { describe, expect, it } from 'vitest';
import type { Figure, Sentence } from '../src/api/types';
import { countByStatus, layOut, piecesOf, utf16Offset } from '../src/rooms/ask/answer';

const figure = (text: string, begin = -1, more: Partial<Figure> = {}): Figure => ({
  text, value: '', unit: '', status: 'cited', citation: 1, formula: '', begin, end: begin + [...text].length, ...more,
});

const sentence = (text: string, more: Partial<Sentence> = {}): Sentence => ({
  text, status: 'supported', citations: [1], support: 0.9, reason: '', figures: [], ...more,
});

const shape = (value: Sentence, start?: number): string =>
  piecesOf(value, start)
    .map((piece) => (piece.kind === 'text' ? piece.text : piece.kind === 'figure' ? `<${piece.text}>` : `^${piece.n}`))
    .join('');

describe('piecesOf', () => {
  it('marks figures and citations', () => {
    expect(shape(sentence('年费为 300 元。[1]', { figures: [figure('300 元')] }))).toBe('年费为 <300 元>。^1');
  });

  it('takes citations apart and leaves other brackets alone', () => {
    const value = sentence('甲[1][2]，乙[1, 3]，丙[9]，见[注]。', { citations: [1, 2, 3] });
    expect(shape(value)).toBe('甲^1^2，乙^1^3，丙[9]，见[注]。');
  });

  it('adds citations that the text does not show', () => {
    expect(shape(sentence('Fees rose.', { citations: [2, 4] }))).toBe('Fees rose.^2^4');
  });

  it('does not find a figure inside a longer number', () => {
    expect(shape(sentence('15% and 1.5% and 5%', { citations: [], figures: [figure('5%')] }))).toBe('15% and 1.5% and <5%>');
    expect(shape(sentence('1,300 then 300', { citations: [], figures: [figure('300')] }))).toBe('1,300 then <300>');
    expect(shape(sentence('30.5 then 30.', { citations: [], figures: [figure('30')] }))).toBe('30.5 then <30>.');
  });

  it('marks equal figures one after the other, by offset where it is right', () => {
    const twice = sentence('5% 与 5%', { citations: [], figures: [figure('5%'), figure('5%')] });
    expect(shape(twice)).toBe('<5%> 与 <5%>');
    const second = sentence('5% 与 5%', { citations: [], figures: [figure('5%', 105)] });
    expect(shape(second, 100)).toBe('5% 与 <5%>');
  });

  it('counts offsets in code points', () => {
    const value = sentence('𠮷𠮷 9 与 9', { citations: [], figures: [figure('9', 17)] });
    expect(shape(value, 10)).toBe('𠮷𠮷 9 与 <9>');
    expect(utf16Offset('𠮷a', 1)).toBe(2);
    expect(utf16Offset('a', 2)).toBeUndefined();
    expect(utf16Offset('a', -1)).toBeUndefined();
  });

  it('leaves a figure that is not in the text unmarked, and never marks the number of a citation', () => {
    expect(shape(sentence('无数字。[1]', { figures: [figure('1'), figure('')] }))).toBe('无数字。^1');
  });

  it('keeps markup as text', () => {
    expect(piecesOf(sentence('<img src=x>[1]'))[0]).toEqual({ kind: 'text', text: '<img src=x>' });
  });
});

describe('layOut', () => {
  const texts = (answer: string, ...sentences: Sentence[]) =>
    layOut(sentences, answer).map((paragraph) => paragraph.parts.map((part) => `${part.gap}${part.sentence.text}`).join(''));

  it('breaks paragraphs where the answer does', () => {
    expect(texts('A.[1] B.[1]\n\nC.', sentence('A.[1]'), sentence('B.[1]'), sentence('C.'))).toEqual(['A.[1] B.[1]', 'C.']);
  });

  it('gives sentences their offset in code points', () => {
    const parts = layOut([sentence('𠮷。'), sentence('乙。')], '𠮷。乙。')[0]?.parts;
    expect(parts?.map((part) => part.start)).toEqual([0, 2]);
  });

  it('joins sentences while there is no answer yet', () => {
    expect(texts('', sentence('One.'), sentence('Two.'))).toEqual(['One. Two.']);
    expect(texts('', sentence('一。[1]'), sentence('二。'))).toEqual(['一。[1]二。']);
  });

  it('keeps withheld sentences in their place', () => {
    const [paragraph] = layOut([sentence('A.'), sentence('X.', { status: 'withheld' }), sentence('B.')], 'A. B.');
    expect(paragraph?.parts.map((part) => part.sentence.text)).toEqual(['A.', 'X.', 'B.']);
  });

  it('draws every sentence even where the answer differs', () => {
    expect(texts('other', sentence('A.'), sentence('B.')).join('|')).toBe('A. B.');
  });
});

describe('countByStatus', () => {
  it('counts', () => {
    const counts = countByStatus([sentence(''), sentence('', { status: 'computed' }), sentence('')]);
    expect(counts).toEqual({ supported: 2, extracted: 0, computed: 1, withheld: 0 });
  });
});
