import type { Client } from './client';

/// Keys (/v1/keys) and accounts (/v1/users) of the tenant.

export interface KeyInfo {
  id: string;
  user: string;
  name: string;
  roles: string[];
  desk?: string;
  clearance?: string;
  quota: { requests_per_minute: number; tokens_per_day: number };
  created: string | null;
  expires: string | null;
  last_used: string | null;
  revoked: boolean;
}

export interface NewKey {
  user: string;
  name: string;
  roles: string[];
  desk?: string;
  clearance?: string;
  quota: { requests_per_minute: number; tokens_per_day: number };
  expires_in_s?: number;
}

export interface UserInfo {
  user: string;
  name: string;
  roles: string[];
  desk: string;
  clearance: string;
  purpose: string;
  disabled: boolean;
  totp: boolean;
  /** The identity provider that vouches for the person; null: a password does. */
  issuer?: string | null;
  created: string | null;
  last_login: string | null;
}

export interface NewUser {
  user: string;
  name: string;
  roles: string[];
  desk: string;
  clearance: string;
  password: string;
}

export async function keys(client: Client): Promise<KeyInfo[]> {
  return (await client.get<{ keys: KeyInfo[] }>('/v1/keys')).keys;
}

export const createKey = (client: Client, key: NewKey): Promise<KeyInfo & { secret: string }> => client.post('/v1/keys', key);
export const revokeKey = (client: Client, id: string): Promise<void> => client.remove(`/v1/keys/${encodeURIComponent(id)}`);

export async function users(client: Client): Promise<UserInfo[]> {
  return (await client.get<{ users: UserInfo[] }>('/v1/users')).users;
}

export const createUser = (client: Client, user: NewUser): Promise<UserInfo> => client.post('/v1/users', user);
export const disableUser = (client: Client, user: string): Promise<void> => client.remove(`/v1/users/${encodeURIComponent(user)}`);
