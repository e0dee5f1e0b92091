import { describe, expect, it } from 'vitest';
import { looksLikeKey, parseAskEvent } from '../src/api/client';
import { errorOfBody, errorText, toApiError } from '../src/api/errors';

describe('errorOfBody', () => {
  it('reads the program’s errors', () => {
    const error = errorOfBody(429, '{"error":{"code":"rate_limited","message":"60 a minute","request_id":"01J"}}');
    expect(error).toMatchObject({ code: 'rate_limited', detail: '60 a minute', requestId: '01J', status: 429 });
  });

  it('tells others by their status', () => {
    expect(errorOfBody(502, '<html>').code).toBe('unavailable');
    expect(errorOfBody(413, '').code).toBe('too_large');
    expect(errorOfBody(418, 'null').code).toBe('unexpected');
    expect(errorOfBody(404, '{"error":{"code":"novel","message":7}}')).toMatchObject({ code: 'not_found', detail: '' });
    expect(errorOfBody(0, '{"error":"text"}').code).toBe('unexpected');
  });
});

describe('toApiError', () => {
  it('names what browsers throw', () => {
    expect(toApiError(new TypeError('Failed to fetch')).code).toBe('network');
    expect(toApiError(new DOMException('', 'AbortError')).code).toBe('cancelled');
    expect(toApiError(new SyntaxError('bad JSON'))).toMatchObject({ code: 'unexpected', detail: 'bad JSON' });
  });
});

describe('errorText', () => {
  it('takes text or an object', () => {
    expect(errorText('broken')).toBe('broken');
    expect(errorText({ code: 'x', message: 'broken' })).toBe('broken');
    expect(errorText(null)).toBe('');
  });
});

describe('parseAskEvent', () => {
  it('knows the events of an answer and ignores others', () => {
    expect(parseAskEvent('stage', '{"stage":"read"}')).toEqual({ event: 'stage', stage: 'read' });
    expect(parseAskEvent('sentence', '{"sentence":{"text":"a"}}')).toMatchObject({ event: 'sentence', citations: [] });
    expect(parseAskEvent('answer', '{"answer":"a"}')).toEqual({ event: 'answer', answer: { answer: 'a' } });
    expect(parseAskEvent('novelty', '{}')).toBeUndefined();
  });
});

describe('looksLikeKey', () => {
  it('takes printable ASCII of a sensible length', () => {
    expect(looksLikeKey('heng_abcDEF123-_')).toBe(true);
    for (const wrong of ['', 'heng', 'heng_ abc def', 'heng_密钥密钥密钥', 'heng_abc\ndef', 'x'.repeat(600)]) expect(looksLikeKey(wrong)).toBe(false);
  });
});
