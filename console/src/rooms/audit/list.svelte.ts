import { records, type AuditRecord } from '../../api/audit';
import { toApiError, type ApiError } from '../../api/errors';
import type { Client } from '../../api/client';

const page = 100;

export interface Filter {
  text: string;
  action: string;
  outcome: string;
  user: string;
}

const actionOf = (record: AuditRecord) => record.opened?.action ?? record.kind;
const outcomeOf = (record: AuditRecord) => record.closed?.outcome ?? '';
const userOf = (record: AuditRecord) => record.opened?.principal?.user ?? '';

/// What the row of a record says: a chat's subject is its whole request as JSON, its question the last message of the user.
export function questionOf(record: AuditRecord): string {
  const subject = record.opened?.subject ?? '';
  if (record.opened?.action !== 'chat') return subject;
  try {
    const request = JSON.parse(subject) as { messages?: { role?: string; content?: unknown }[]; prompt?: unknown };
    const last = request.messages?.filter((message) => message.role === 'user').at(-1)?.content ?? request.prompt;
    return typeof last === 'string' ? last : subject;
  } catch {
    return subject;
  }
}

export function matches(record: AuditRecord, filter: Filter): boolean {
  if (filter.action && actionOf(record) !== filter.action) return false;
  if (filter.outcome && outcomeOf(record) !== filter.outcome) return false;
  if (filter.user && userOf(record) !== filter.user) return false;
  const wanted = filter.text.trim().toLowerCase();
  if (!wanted) return true;
  const { opened, closed } = record;
  return [`${record.index}`, actionOf(record), opened?.subject, opened?.resource, opened?.request, userOf(record), closed?.output, closed?.model]
    .some((text) => text?.toLowerCase().includes(wanted));
}

/// The newest records, page by page. The filter works on what is loaded: the ledger's contents are encrypted, so the
/// program cannot search them by index.
export class RecordList {
  all = $state.raw<AuditRecord[]>([]);
  busy = $state(false);
  ended = $state(false);
  error = $state.raw<ApiError>();
  filter = $state<Filter>({ text: '', action: '', outcome: '', user: '' });

  shown = $derived(this.all.filter((record) => matches(record, this.filter)));
  actions = $derived([...new Set(this.all.map(actionOf))].sort());
  outcomes = $derived([...new Set(this.all.map(outcomeOf).filter(Boolean))].sort());
  users = $derived([...new Set(this.all.map(userOf).filter(Boolean))].sort());

  constructor(private readonly client: Client) {}

  async load(more: boolean): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      const before = more ? this.all.at(-1)?.index : undefined;
      const found = await records(this.client, page, before);
      const known = new Set(more ? this.all.map((record) => record.index) : []);
      this.all = [...(more ? this.all : []), ...found.filter((record) => !known.has(record.index))];
      this.ended = found.length === 0 || (this.all.at(-1)?.index ?? 0) === 0;
      this.error = undefined;
    } catch (error) {
      this.error = toApiError(error);
    } finally {
      this.busy = false;
    }
  }
}
