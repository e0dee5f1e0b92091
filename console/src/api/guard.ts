import type { Client } from './client';

/// What the guard finds in a text (POST /v1/guard/scan).

export interface Finding {
  kind: string;
  type: string;
  class: 'C1' | 'C2' | 'C3';
  start: number;
  end: number;
  action: string;
  rule: string;
  clause?: string;
}

export interface Scan {
  verdict: 'release' | 'mask' | 'review' | 'withhold';
  masked: string;
  injection_score: number;
  reason?: string;
  findings: Finding[];
}

export const scan = (client: Client, text: string): Promise<Scan> => client.post('/v1/guard/scan', { text });

/// The policies that the program enforces (GET /v1/policies).

export interface PolicyRule {
  id: string;
  kind: string;
  title: string;
  clause: string;
  action: string;
  violates: string[];
  allows: string[];
  line: number;
}

export interface Policy {
  kind: string;
  id: string;
  version: string;
  owner: string;
  clause: string;
  effective_from: string;
  effective_until: string | null;
  sha256: string;
  file: string | null;
  rules: PolicyRule[];
}

export const policies = async (client: Client): Promise<Policy[]> => (await client.get<{ policies: Policy[] }>('/v1/policies')).policies;
