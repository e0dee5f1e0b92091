import { describe, expect, it } from 'vitest';
import { readReturn } from '../src/api/sign-in';

describe('readReturn', () => {
  const kept = JSON.stringify({ browser: 'b1', hash: '#audit/12' });

  it('joins the answer and the secret that stayed', () => {
    expect(readReturn('/sign-in', '?code=c%2B1&state=s&iss=https%3A%2F%2Flogin.bank.test', kept)).toEqual({
      back: { state: 's', code: 'c+1', iss: 'https://login.bank.test', error: undefined, browser: 'b1' }, hash: '#audit/12',
    });
    expect(readReturn('/sign-in', '?error=access_denied&state=s', kept)?.back).toMatchObject({ error: 'access_denied', code: undefined });
  });

  it('is nothing elsewhere', () => {
    for (const path of ['/', '/sign-in/', '/sign-in/x', '/v1/sign-in']) expect(readReturn(path, '?code=c&state=s', kept)).toBeUndefined();
  });

  it('has no secret where none was kept, and breaks on nothing', () => {
    for (const odd of [null, '', 'null', '7', '{', '[]', '{"browser":null}']) expect(readReturn('/sign-in', '?code=c&state=s', odd)?.back.browser).toBe('-');
    expect(readReturn('/sign-in', '', kept)?.back.state).toBe('-');
  });
});
