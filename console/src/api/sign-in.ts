import { errorOfBody, toApiError } from './errors';

/// Signing in at the institution's identity provider. The browser leaves the page and comes back to /sign-in; what ties the two together is a
/// secret in this tab's session storage, so that nobody finishes a sign-in that another browser began.

const waitingName = 'heng.sign-in';
const usedName = 'heng.by-provider';
const returnPath = '/sign-in';

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method, cache: 'no-store', credentials: 'omit', redirect: 'error',
      ...(body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
    });
  } catch (error) {
    throw toApiError(error);
  }
  if (!response.ok) throw errorOfBody(response.status, await response.text().catch(() => ''));
  return (await response.json()) as T;
}

/// Only where a browser may be sent: an address of the web.
const isWeb = (url: string): boolean => /^https?:\/\//.test(url);

/// What the provider is called; undefined where there is none.
export async function providerName(): Promise<string | undefined> {
  try {
    return (await ask<{ name: string | null }>('GET', '/v1/oidc')).name ?? undefined;
  } catch {
    return undefined;
  }
}

/// Sends the browser to the provider. Throws an ApiError.
export async function leaveForProvider(): Promise<void> {
  const { url, browser } = await ask<{ url: string; browser: string }>('POST', '/v1/oidc/start');
  if (!isWeb(url)) throw toApiError(new Error('the provider has no web address'));
  sessionStorage.setItem(waitingName, JSON.stringify({ browser, hash: window.location.hash }));
  window.location.assign(url);
}

export interface Return {
  state: string;
  code?: string;
  iss?: string;
  error?: string;
  browser: string;
}

/// What the address says when the browser is back, with the secret it kept; undefined where this is no return.
export function readReturn(path: string, query: string, kept: string | null): { back: Return; hash: string } | undefined {
  if (path !== returnPath) return undefined;
  const values = new URLSearchParams(query);
  let waiting: { browser?: string; hash?: string } = {};
  try {
    waiting = (JSON.parse(kept ?? '{}') as typeof waiting | null) ?? {};
  } catch {
    // what is kept is not ours: the program refuses it
  }
  const one = (name: string) => values.get(name) ?? undefined;
  return { back: { state: one('state') ?? '-', code: one('code'), iss: one('iss'), error: one('error'), browser: waiting.browser ?? '-' }, hash: waiting.hash ?? '' };
}

/// The token of the session that the provider's answer is worth; undefined where the browser does not come from there. The answer leaves the
/// address, and so the history, before anything else. Throws an ApiError.
export async function finishSignIn(): Promise<string | undefined> {
  const found = readReturn(window.location.pathname, window.location.search, sessionStorage.getItem(waitingName));
  if (!found) return undefined;
  sessionStorage.removeItem(waitingName);
  window.history.replaceState(null, '', `/${found.hash}`);
  window.dispatchEvent(new HashChangeEvent('hashchange')); // the router reads the address again
  const { token } = await ask<{ token: string }>('POST', '/v1/oidc/finish', found.back);
  sessionStorage.setItem(usedName, '1');
  return token;
}

/// After signing out here: ends the session at the provider too, where the program says so.
export async function leaveProvider(): Promise<void> {
  if (sessionStorage.getItem(usedName) === null) return;
  sessionStorage.removeItem(usedName);
  try {
    const { url } = await ask<{ url: string | null }>('GET', '/v1/oidc/logout');
    if (url && isWeb(url)) window.location.assign(url);
  } catch {
    // the session here has ended in any case
  }
}
