import { describe, expect, it } from 'vitest';
import { formatBytes, formatMs, formatTag, isPdf } from '../src/rooms/ask/format';
import { blocksOf } from '../src/rooms/ask/passage';
import { rolesOf } from '../src/rooms/ask/uploads.svelte';
import { findQuote, splitAt } from '../src/rooms/ask/quote';

const quoteIn = (text: string, quote: string) => {
  const range = findQuote(text, quote);
  return range && text.slice(range.begin, range.end);
};

describe('findQuote', () => {
  it('finds a quote as it is', () => {
    expect(quoteIn('首年免年费。年费 300 元。', '年费 300 元。')).toBe('年费 300 元。');
  });

  it('bridges spaces, line breaks, full width, case and table bars', () => {
    expect(quoteIn('The annual\n  fee is\u00a0USD 30.', 'THE ANNUAL FEE is usd 30.')).toBe('The annual\n  fee is\u00a0USD 30.');
    expect(quoteIn('费率为 １．５％。', '费率为 1.5%')).toBe('费率为 １．５％');
    expect(quoteIn('| 年费 | 300 元 |', '年费 300 元')).toBe('年费 | 300 元');
  });

  it('keeps surrogate pairs whole', () => {
    expect(quoteIn('甲𠮷乙', '𠮷')).toBe('𠮷');
  });

  it('says when there is none', () => {
    expect(findQuote('abc', 'abd')).toBeUndefined();
    expect(findQuote('abc', ' \n')).toBeUndefined();
    expect(findQuote('', 'a')).toBeUndefined();
  });
});

describe('rolesOf', () => {
  it('takes commas, Chinese ones too, and spaces', () => {
    expect(rolesOf(' audit，risk、desk; a  b,')).toEqual(['audit', 'risk', 'desk', 'a', 'b']);
    expect(rolesOf('  ')).toEqual([]);
  });
});

describe('splitAt', () => {
  it('splits a run at the ends of a range of the longer text', () => {
    const runs = (begin: number, from: number, to: number) =>
      splitAt('abcdef', begin, { begin: from, end: to }).map((run) => (run.marked ? `[${run.text}]` : run.text)).join('');
    expect(runs(0, 2, 4)).toBe('ab[cd]ef');
    expect(runs(10, 8, 12)).toBe('[ab]cdef');
    expect(runs(10, 14, 99)).toBe('abcd[ef]');
    expect(runs(10, 20, 30)).toBe('abcdef');
    expect(splitAt('abc', 0, undefined)).toEqual([{ text: 'abc', marked: false }]);
  });
});

describe('blocksOf', () => {
  it('takes text and tables apart, with offsets into the passage', () => {
    const text = '费用如下：\n| 项目 | 金额 |\n| --- | ---: |\n| 年费 | 300 元 |\n以上。';
    const [before, table, after] = blocksOf(text);
    expect(before).toEqual({ kind: 'text', begin: 0, text: '费用如下：' });
    expect(after).toMatchObject({ kind: 'text', text: '以上。' });
    if (table?.kind !== 'table') throw new Error('no table');
    expect(table.header.map((row) => row.map((cell) => cell.text))).toEqual([['项目', '金额']]);
    expect(table.rows.map((row) => row.map((cell) => cell.text))).toEqual([['年费', '300 元']]);
    for (const cell of [...table.header, ...table.rows].flat()) expect(text.startsWith(cell.text, cell.begin)).toBe(true);
  });

  it('keeps escaped bars, empty cells, tables without a divider, and single rows as text', () => {
    const [table] = blocksOf('| a \\| b | |\n| c | d |');
    if (table?.kind !== 'table') throw new Error('no table');
    expect(table.header).toEqual([]);
    expect(table.rows[0]?.map((cell) => cell.text)).toEqual(['a \\| b', '']);
    expect(blocksOf('| alone |')[0]?.kind).toBe('text');
    expect(blocksOf('')).toEqual([]);
  });
});

describe('format', () => {
  it('writes sizes and times', () => {
    expect(formatBytes(0, 'en')).toBe('0 B');
    expect(formatBytes(1530, 'en')).toBe('1.5 kB');
    expect(formatBytes(178_000_000, 'en')).toBe('178 MB');
    expect(formatMs(12.4, 'en')).toBe('12 ms');
    expect(formatMs(1920, 'en')).toBe('1.9 s');
  });

  it('names formats', () => {
    expect(formatTag({ path: 'a/b.Docx', media_type: '' })).toBe('DOCX');
    expect(formatTag({ path: 'noname', media_type: 'text/html' })).toBe('HTML');
    expect(isPdf('application/pdf; charset=binary')).toBe(true);
    expect(isPdf('text/html')).toBe(false);
  });
});
