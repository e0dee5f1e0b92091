import { describe, expect, it } from 'vitest';
import type { AuditProof, AuditRecord } from '../src/api/audit';
import { openRooms, parseHash } from '../src/shell/rooms.svelte';
import { piecesOf } from '../src/shell/spans';
import { formatDistance } from '../src/shell/time';
import { matches, questionOf } from '../src/rooms/audit/list.svelte';
import { check } from '../src/rooms/audit/merkle';

const me = (roles: string[], may?: string[]) => ({ tenant: 't', user: 'u', roles, key_id: 'k', may });

describe('rooms', () => {
  const all = new Set(['/v1/ask', '/v1/audit', '/v1/reviews', '/v1/stops', '/v1/guard/scan', '/v1/keys', '/v1/tasks']);

  it('are those that the program serves and the user may use', () => {
    expect(openRooms(me(['admin']), all)).toEqual(['ask', 'audit', 'review', 'monitor', 'policies', 'access', 'market']);
    expect(openRooms(me(['auditor']), all)).toEqual(['ask', 'audit', 'review', 'monitor', 'policies', 'market']);
    expect(openRooms(me([]), all)).toEqual(['ask', 'review', 'policies', 'market']);
    expect(openRooms(me(['admin']), new Set())).toEqual(['ask']);
  });

  it('follow the rights where the program tells them', () => {
    expect(openRooms(me(['admin'], ['audit.read']), all)).toEqual(['ask', 'audit', 'policies', 'market']);
  });

  it('are read from the address', () => {
    expect(parseHash('')).toEqual({ room: '', rest: '' });
    expect(parseHash('#audit/12')).toEqual({ room: 'audit', rest: '12' });
    expect(parseHash('#review/a%2Fb')).toEqual({ room: 'review', rest: 'a/b' });
    expect(parseHash('#market/%ff')).toEqual({ room: 'market', rest: '%ff' });
  });
});

describe('records', () => {
  const record: AuditRecord = {
    index: 7, kind: 'close', time: '2026-11-24T07:00:00Z',
    opened: { action: 'chat', subject: JSON.stringify({ messages: [{ role: 'user', content: '年费?' }, { role: 'assistant', content: 'x' }] }), principal: { user: 'li' } },
    closed: { outcome: 'ok', output: 'Annual fee 300' },
  };

  it('show the question of a chat', () => {
    expect(questionOf(record)).toBe('年费?');
    expect(questionOf({ ...record, opened: { action: 'chat', subject: 'not JSON' } })).toBe('not JSON');
  });

  it('are filtered by each field and by text', () => {
    const filter = { text: '', action: '', outcome: '', user: '' };
    expect(matches(record, filter)).toBe(true);
    expect(matches(record, { ...filter, text: 'ANNUAL' })).toBe(true);
    expect(matches(record, { ...filter, text: 'monthly' })).toBe(false);
    expect(matches(record, { ...filter, user: 'wang' })).toBe(false);
    expect(matches(record, { ...filter, outcome: 'refused' })).toBe(false);
    expect(matches(record, { ...filter, action: 'ask' })).toBe(false);
  });
});

describe('proof', () => {
  type Bytes = Uint8Array<ArrayBuffer>;
  const bytes = (text: string): Bytes => new TextEncoder().encode(text) as Bytes;
  const hex = (data: Bytes) => [...data].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const base64 = (data: Bytes) => btoa(String.fromCharCode(...data));
  const sha = async (...parts: Bytes[]): Promise<Bytes> =>
    new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(parts.flatMap((part) => [...part]))));

  /// A second way, by recursion after RFC 6962 section 2.1, to compare with.
  const cut = (leaves: Bytes[]) => 2 ** Math.floor(Math.log2(leaves.length - 1));
  async function tree(leaves: Bytes[]): Promise<Bytes> {
    if (leaves.length === 1) return leaves[0]!;
    const k = cut(leaves);
    return sha(Uint8Array.of(1), await tree(leaves.slice(0, k)), await tree(leaves.slice(k)));
  }
  async function path(m: number, leaves: Bytes[]): Promise<Bytes[]> {
    if (leaves.length === 1) return [];
    const k = cut(leaves);
    return m < k ? [...(await path(m, leaves.slice(0, k))), await tree(leaves.slice(k))] : [...(await path(m - k, leaves.slice(k))), await tree(leaves.slice(0, k))];
  }
  async function proofOf(index: number, size: number): Promise<AuditProof> {
    const leaves = await Promise.all(Array.from({ length: size }, (_, at) => sha(Uint8Array.of(0), bytes(`entry ${at}`))));
    const root = await tree(leaves);
    return {
      index, size, leaf: hex(leaves[index]!), entry: base64(bytes(`entry ${index}`)), hashes: (await path(index, leaves)).map(hex),
      root: hex(root), checkpoint: `origin\n${size}\n${base64(root)}\n\n— sig`, verifier_key: 'k',
    };
  }

  it('holds for every record of ledgers of 1 to 20', async () => {
    for (let size = 1; size <= 20; size++) for (let index = 0; index < size; index++) expect(await check(await proofOf(index, size)), `${index} of ${size}`).toBe('holds');
  });

  it('fails where anything was changed', async () => {
    const proof = await proofOf(4, 11);
    const other = 'ab'.repeat(32);
    const changed: Partial<AuditProof>[] = [
      { entry: 'AAAA' }, { index: 5 }, { size: 12 }, { root: other }, { hashes: [other, ...proof.hashes.slice(1)] }, { hashes: proof.hashes.slice(1) },
      { hashes: [...proof.hashes, other] }, { checkpoint: `origin\n11\n${base64(new Uint8Array(32))}\n` }, { checkpoint: 'nonsense' },
    ];
    for (const change of changed) expect(await check({ ...proof, ...change }), JSON.stringify(change)).toBe('fails');
  });
});

describe('spans', () => {
  it('cut a text in code points, also where they overlap or reach too far', () => {
    const a = { start: 1, end: 4 };
    const b = { start: 3, end: 99 };
    const pieces = piecesOf('𠮷年费300元', [a, b, { start: 5, end: 5 }, { start: 50, end: 60 }]);
    expect(pieces.map((piece) => piece.text)).toEqual(['𠮷', '年费', '3', '00元']);
    expect(pieces.map((piece) => piece.spans)).toEqual([[], [a], [a, b], [b]]);
    expect(piecesOf('', [a])).toEqual([]);
  });
});

describe('times', () => {
  it('are told as a distance', () => {
    const now = Date.parse('2026-11-24T10:00:00Z');
    expect(formatDistance('2026-11-24T10:05:10Z', now, 'en-GB')).toBe('in 5 minutes');
    expect(formatDistance('2026-11-22T09:00:00Z', now, 'en-GB')).toBe('2 days ago');
    expect(formatDistance(null, now, 'en-GB')).toBe('—');
  });
});
