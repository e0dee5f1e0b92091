/// The inclusion proof of a record, checked again in this browser: RFC 6962 section 2.1.1 over SHA-256.
import type { AuditProof } from '../../api/audit';

type Bytes = Uint8Array<ArrayBuffer>;

const fromHex = (hex: string): Bytes => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const fromBase64 = (text: string): Bytes => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const toHex = (bytes: Bytes): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

async function hash(...parts: Bytes[]): Promise<Bytes> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', all));
}

const leafMark = Uint8Array.of(0);
const nodeMark = Uint8Array.of(1);

/// The root that the leaf and the path lead to. Throws where the path has the wrong length (RFC 9162 section 2.1.3.2).
export async function rootOf(leaf: Bytes, index: number, size: number, path: Bytes[]): Promise<Bytes> {
  if (index < 0 || index >= size) throw new RangeError('index');
  let node = index;
  let last = size - 1;
  let root = leaf;
  for (const step of path) {
    if (last === 0) throw new RangeError('path too long');
    if (node % 2 === 1 || node === last) {
      root = await hash(nodeMark, step, root);
      while (node % 2 === 0 && node !== 0) {
        node = Math.floor(node / 2);
        last = Math.floor(last / 2);
      }
    } else root = await hash(nodeMark, root, step);
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) throw new RangeError('path too short');
  return root;
}

export type Checked = 'holds' | 'fails' | 'elsewhere';

/// Whether entry → leaf → path → root holds and the signed checkpoint names that root and size. `elsewhere`: this browser
/// offers no SHA-256 to the page (not https, not localhost). The signature itself is checked by heng-audit-check.
export async function check(proof: AuditProof): Promise<Checked> {
  if (!globalThis.crypto?.subtle) return 'elsewhere';
  try {
    const leaf = await hash(leafMark, fromBase64(proof.entry));
    if (toHex(leaf) !== proof.leaf) return 'fails';
    const root = await rootOf(leaf, proof.index, proof.size, proof.hashes.map(fromHex));
    const [, size, signedRoot] = proof.checkpoint.split('\n');
    const signed = toHex(fromBase64(signedRoot ?? ''));
    return toHex(root) === proof.root && signed === proof.root && Number(size) === proof.size ? 'holds' : 'fails';
  } catch {
    return 'fails';
  }
}
