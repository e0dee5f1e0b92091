/// Passages are plain text in which tables stand as Markdown rows. They are taken apart here, never turned into HTML.

export interface Cell {
  begin: number;
  text: string;
}

export type PassageBlock =
  | { kind: 'text'; begin: number; text: string }
  | { kind: 'table'; header: Cell[][]; rows: Cell[][] };

const isRow = (line: string): boolean => /^\s*\|.*\|\s*$/.test(line);
const isDivider = (line: string): boolean => /^\s*\|(\s*:?-+:?\s*\|)+\s*$/.test(line);

export function blocksOf(text: string): PassageBlock[] {
  const lines: { begin: number; text: string }[] = [];
  let offset = 0;
  for (const line of text.split('\n')) {
    lines.push({ begin: offset, text: line });
    offset += line.length + 1;
  }
  const blocks: PassageBlock[] = [];
  for (let at = 0; at < lines.length; ) {
    let end = at;
    const table = isRow(lines[at]?.text ?? '');
    while (end < lines.length && isRow(lines[end]?.text ?? '') === table) end++;
    const run = lines.slice(at, end);
    at = end;
    if (!table || run.length < 2) {
      const first = run[0];
      const joined = run.map((line) => line.text).join('\n');
      if (first && joined.trim() !== '') blocks.push({ kind: 'text', begin: first.begin, text: joined });
      continue;
    }
    const divider = run.findIndex((line) => isDivider(line.text));
    blocks.push({
      kind: 'table',
      header: run.slice(0, Math.max(divider, 0)).map(cellsOf),
      rows: run.slice(divider + 1).filter((line) => !isDivider(line.text)).map(cellsOf),
    });
  }
  return blocks;
}

function cellsOf(line: { begin: number; text: string }): Cell[] {
  const cells: Cell[] = [];
  const inner = line.text.replace(/\s*$/, '');
  let begin = inner.indexOf('|') + 1;
  for (let at = begin; at < inner.length; at++) {
    if (inner[at] !== '|' || inner[at - 1] === '\\') continue;
    const raw = inner.slice(begin, at);
    const lead = raw.length - raw.trimStart().length;
    cells.push({ begin: line.begin + begin + lead, text: raw.trim() });
    begin = at + 1;
  }
  return cells;
}
