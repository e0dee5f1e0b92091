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
