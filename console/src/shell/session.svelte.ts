import { Client, looksLikeKey } from '../api/client';
import { ApiError, toApiError } from '../api/errors';
import { isSession } from '../api/login';
import { finishSignIn, leaveProvider } from '../api/sign-in';
import type { Me } from '../api/types';

const storageName = 'heng.key';

/// Who is signed in. The key lives in this tab's session storage and nowhere else.
class Session {
  me = $state<Me>();
  client = $state.raw<Client>();
  /// The paths that the program serves, as its own description lists them.
  routes = $state.raw<ReadonlySet<string>>(new Set());
  resuming = $state(false);
  /// The key was refused after it had worked.
  ended = $state(false);

  /// Why a sign-in at the identity provider came to nothing.
  providerError = $state.raw<ApiError>();

  /// Of the identity provider, whence the browser may just have come back.
  private async returned(): Promise<string | undefined> {
    this.resuming = true;
    try {
      return await finishSignIn();
    } catch (error) {
      this.providerError = toApiError(error);
      return undefined;
    } finally {
      this.resuming = false;
    }
  }

  async resume(): Promise<void> {
    const key = (await this.returned()) ?? sessionStorage.getItem(storageName);
    if (!key) return;
    this.resuming = true;
    try {
      await this.signIn(key);
    } catch {
      // the sign-in page shows itself; the key is forgotten only where it was refused
    } finally {
      this.resuming = false;
    }
  }

  /// Throws an ApiError; a wrong key has the code `unauthenticated`.
  async signIn(key: string): Promise<void> {
    if (!looksLikeKey(key)) throw new ApiError('invalid_argument');
    const client = new Client(key, () => this.refused());
    try {
      const [me, routes] = await Promise.all([client.me(), client.routes()]);
      sessionStorage.setItem(storageName, key);
      this.ended = false;
      this.routes = routes;
      this.client = client;
      this.me = me;
    } catch (error) {
      throw toApiError(error);
    }
  }

  signOut(): void {
    // a session ends with the sign-out, a key lives on; where the program cannot be told, the session runs out by itself
    if (isSession(sessionStorage.getItem(storageName) ?? '') && this.me) void this.client?.logOut().catch(() => {}).then(leaveProvider);
    sessionStorage.removeItem(storageName);
    this.client = undefined;
    this.me = undefined;
    this.ended = false;
  }

  private refused(): void {
    const wasIn = this.me !== undefined;
    this.me = undefined;
    this.signOut();
    this.ended = wasIn;
  }
}

export const session = new Session();
