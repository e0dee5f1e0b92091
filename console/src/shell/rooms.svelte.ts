import type { Me } from '../api/types';

/// The rooms of the console, in the order of the navigation. Digits 1 to 7 lead to them.
export const roomNames = ['ask', 'audit', 'review', 'monitor', 'policies', 'access', 'market'] as const;
export type RoomName = (typeof roomNames)[number];

/// A room is offered where the program serves its route and the user may use it. The program decides in any case: hiding a
/// door keeps people from walking into a refusal, it does not lock anything.
interface Need {
  path: string;
  /// The right in /v1/me where the program tells it (`may`), else the roles that come with the program.
  right?: string;
  roles?: readonly string[];
}

const needs: Record<RoomName, Need> = {
  ask: { path: '/v1/ask' },
  audit: { path: '/v1/audit', right: 'audit.read', roles: ['admin', 'auditor'] },
  review: { path: '/v1/reviews', right: 'review.use' },
  monitor: { path: '/v1/stops', right: 'monitor.read', roles: ['admin', 'supervisor', 'operator', 'auditor', 'risk'] },
  policies: { path: '/v1/guard/scan' },
  access: { path: '/v1/keys', right: 'key.manage', roles: ['admin'] },
  market: { path: '/v1/tasks' },
};

function allowed(need: Need, me: Me): boolean {
  if (need.right && me.may) return me.may.includes(need.right);
  return !need.roles || need.roles.some((role) => me.roles.includes(role));
}

/// The rooms open to this user, in order; `routes` are the paths of /openapi.json. Asking is always one of them.
export function openRooms(me: Me, routes: ReadonlySet<string>): RoomName[] {
  return roomNames.filter((name) => name === 'ask' || (routes.has(needs[name].path) && allowed(needs[name], me)));
}

/// "#audit/12" → {room: "audit", rest: "12"}. What cannot be decoded counts as it stands.
export function parseHash(hash: string): { room: string; rest: string } {
  const plain = hash.replace(/^#\/?/, '');
  const cut = plain.indexOf('/');
  const rest = cut < 0 ? '' : plain.slice(cut + 1);
  try {
    return { room: cut < 0 ? plain : plain.slice(0, cut), rest: decodeURIComponent(rest) };
  } catch {
    return { room: cut < 0 ? plain : plain.slice(0, cut), rest };
  }
}

/// Which room the address names, and what in it (the part after the slash).
class Router {
  room = $state('ask');
  rest = $state('');

  start(): void {
    this.read();
    window.addEventListener('hashchange', () => this.read());
  }

  /// Goes to a room; without `record` the browser's history keeps its length.
  go(room: RoomName, rest = '', record = true): void {
    const hash = `#${room}${rest ? `/${encodeURIComponent(rest)}` : ''}`;
    if (record) window.location.hash = hash;
    else {
      window.history.replaceState(null, '', hash);
      this.read();
    }
  }

  private read(): void {
    const { room, rest } = parseHash(window.location.hash);
    this.room = room || 'ask';
    this.rest = rest;
  }
}

export const router = new Router();
