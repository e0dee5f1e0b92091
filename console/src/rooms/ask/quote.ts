/// A range of text in UTF-16 units, end exclusive.
export interface Range {
  begin: number;
  end: number;
}

/// Finds a quote in a text although spaces, line breaks, full-width forms, case or table bars differ. Undefined if absent.
export function findQuote(text: string, quote: string): Range | undefined {
  const wanted = fold(quote).characters;
  if (wanted === '') return undefined;
  const { characters, offsets } = fold(text);
  const at = characters.indexOf(wanted);
  if (at < 0) return undefined;
  const begin = offsets[at] ?? 0;
  const last = offsets[at + wanted.length - 1] ?? begin;
  return { begin, end: last + ((text.codePointAt(last) ?? 0) > 0xffff ? 2 : 1) };
}

function fold(text: string): { characters: string; offsets: number[] } {
  let characters = '';
  const offsets: number[] = [];
  let offset = 0;
  for (const character of text) {
    for (const folded of character.normalize('NFKC').toLowerCase()) {
      if (/[\s|\u00ad\u200b-\u200d\ufeff]/.test(folded)) continue;
      characters += folded;
      for (let unit = 0; unit < folded.length; unit++) offsets.push(offset);
    }
    offset += character.length;
  }
  return { characters, offsets };
}

/// Splits `text`, which stands at `begin` of a longer text, into runs inside and outside of `range`.
export function splitAt(text: string, begin: number, range: Range | undefined): { text: string; marked: boolean }[] {
  const from = Math.min(Math.max((range?.begin ?? 0) - begin, 0), text.length);
  const to = Math.min(Math.max((range?.end ?? 0) - begin, from), text.length);
  return [
    { text: text.slice(0, from), marked: false },
    { text: text.slice(from, to), marked: true },
    { text: text.slice(to), marked: false },
  ].filter((run) => run.text !== '');
}
