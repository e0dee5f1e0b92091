import { errorOfBody, toApiError } from './errors';

/// Signing in with name and password, where the program has accounts for people.

const sessionStart = 'hengs_';

export const isSession = (key: string): boolean => key.startsWith(sessionStart);

/// Whether the program has accounts; its description is public.
export async function hasAccounts(): Promise<boolean> {
  try {
    const { paths } = (await (await fetch('/openapi.json', { credentials: 'omit' })).json()) as { paths?: object };
    return '/v1/login' in (paths ?? {});
  } catch {
    return false;
  }
}

/// The token of a new session. Throws an ApiError; wrong credentials have the code `unauthenticated`.
export async function logIn(user: string, password: string, code: string): Promise<string> {
  let response: Response;
  try {
    response = await fetch('/v1/login', {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, cache: 'no-store', credentials: 'omit', redirect: 'error',
      body: JSON.stringify({ user, password, ...(code ? { code } : {}) }),
    });
  } catch (error) {
    throw toApiError(error);
  }
  if (!response.ok) throw errorOfBody(response.status, await response.text().catch(() => ''));
  return ((await response.json()) as { token: string }).token;
}
