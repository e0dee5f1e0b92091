import type { Client } from './client';

/// Masked values (…/v1/vault): one person reads one, once, after a second one agreed in the review queue.

export interface Unmasked {
  token: string;
  type: string;
  value: string;
}

export const showUnmasked = (client: Client, request: string): Promise<Unmasked> => client.post(`/v1/vault/requests/${encodeURIComponent(request)}/show`, {});

/// The request that a review item of kind "unmask" is about, from the text that was approved.
export function requestOf(text: string): string {
  try {
    const read: unknown = JSON.parse(text);
    return read !== null && typeof read === 'object' && 'request' in read && typeof read.request === 'string' ? read.request : '';
  } catch {
    return '';
  }
}
