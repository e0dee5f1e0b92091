import { ApiError, errorOfBody, toApiError } from './errors';
import { SseParser } from './sse';
import type {
  Answer, AskEvent, DocumentInfo, DocumentPassage, HistoryMessage, KbLanguage, KnowledgeBase, Me, UploadReport,
} from './types';

export interface AskBody {
  kb: string;
  question: string;
  history: HistoryMessage[];
}

export interface UploadHandlers {
  progress(sent: number, total: number): void;
  sent(): void;
}

/// The program says ": wait" every ten seconds; silence this long means that the connection is dead.
const mostSilenceMs = 60_000;

const kbPath = (kb: string) => `/v1/kb/${encodeURIComponent(kb)}`;

/// The program's HTTP interface, called with one key. Every failure is an ApiError.
export class Client {
  constructor(
    private readonly key: string,
    private readonly onUnauthenticated: () => void = () => {},
  ) {}

  me = (): Promise<Me> => this.json('GET', '/v1/me');

  /// The paths of the program's own description; empty where it has none.
  async routes(): Promise<Set<string>> {
    try {
      return new Set(Object.keys((await this.json<{ paths?: object }>('GET', '/openapi.json')).paths ?? {}));
    } catch {
      return new Set();
    }
  }

  /// Ends the session of this token.
  async logOut(): Promise<void> {
    await this.send('POST', '/v1/logout');
  }

  /// For the other rooms: JSON of a path, or (text) what stands there.
  get = <T>(path: string): Promise<T> => this.json('GET', path);
  post = <T>(path: string, body: unknown): Promise<T> => this.json('POST', path, body);

  async remove(path: string): Promise<void> {
    await this.send('DELETE', path);
  }

  /// Follows a stream of events until `signal` or its end; for each event its name and data.
  async follow(path: string, on: (event: string, data: string) => void, signal: AbortSignal): Promise<void> {
    const response = await this.send('GET', path, undefined, signal);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new SseParser();
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: '' };
      if (done) return;
      for (const event of parser.push(value)) on(event.event, event.data);
    }
  }

  async text(path: string): Promise<string> {
    return (await this.send('GET', path)).text();
  }

  async knowledgeBases(): Promise<KnowledgeBase[]> {
    return (await this.json<{ knowledge_bases: KnowledgeBase[] }>('GET', '/v1/kb')).knowledge_bases;
  }

  createKnowledgeBase(name: string, language: KbLanguage): Promise<KnowledgeBase> {
    return this.json('POST', '/v1/kb', { name, language });
  }

  async removeKnowledgeBase(name: string): Promise<void> {
    await this.send('DELETE', kbPath(name));
  }

  async documents(kb: string): Promise<DocumentInfo[]> {
    return (await this.json<{ documents: DocumentInfo[] }>('GET', `${kbPath(kb)}/documents`)).documents;
  }

  document(kb: string, id: number): Promise<DocumentInfo> {
    return this.json('GET', `${kbPath(kb)}/documents/${id}`);
  }

  async removeDocument(kb: string, id: number): Promise<void> {
    await this.send('DELETE', `${kbPath(kb)}/documents/${id}`);
  }

  async original(kb: string, id: number, signal?: AbortSignal): Promise<ArrayBuffer> {
    const response = await this.send('GET', `${kbPath(kb)}/documents/${id}/original`, undefined, signal);
    return response.arrayBuffer();
  }

  async passages(kb: string, id: number, signal?: AbortSignal): Promise<DocumentPassage[]> {
    const response = await this.send('GET', `${kbPath(kb)}/documents/${id}/passages`, undefined, signal);
    return ((await response.json()) as { passages: DocumentPassage[] }).passages;
  }

  async feedback(auditIndex: number, stars: -1 | 1, comment: string): Promise<void> {
    await this.send('POST', '/v1/feedback', { audit_index: auditIndex, stars, comment });
  }

  /// Uploads with XMLHttpRequest, the only browser interface that reports how much of a body has been sent.
  upload(kb: string, path: string, file: Blob, readers: string[], handlers: UploadHandlers, signal: AbortSignal): Promise<UploadReport> {
    const query = new URLSearchParams({ path });
    if (readers.length > 0) query.set('readers', readers.join(','));
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open('POST', `${kbPath(kb)}/documents?${query}`);
      request.setRequestHeader('Authorization', `Bearer ${this.key}`);
      request.setRequestHeader('Content-Type', 'application/octet-stream');
      request.upload.onprogress = (event) => handlers.progress(event.loaded, event.total);
      request.upload.onload = () => handlers.sent();
      request.onload = () => {
        const report = parseUploadReport(request.responseText);
        if (report && (request.status < 300 || report.outcome === 'failed')) resolve(report);
        else reject(this.failed(errorOfBody(request.status, request.responseText)));
      };
      request.onerror = () => reject(new ApiError('network'));
      request.onabort = () => reject(new ApiError('cancelled'));
      signal.addEventListener('abort', () => request.abort());
      request.send(file);
    });
  }

  /// Asks and calls `on` for each event. Returns after the `answer` event; throws where the stream ends without one.
  async ask(body: AskBody, on: (event: AskEvent) => void, signal: AbortSignal): Promise<void> {
    const either = new AbortController();
    const abort = () => either.abort();
    signal.addEventListener('abort', abort);
    let timer = setTimeout(abort, mostSilenceMs);
    try {
      const response = await this.send('POST', '/v1/ask', { ...body, stream: true }, either.signal);
      if (!response.headers.get('content-type')?.startsWith('text/event-stream') || !response.body) {
        on({ event: 'answer', answer: (await response.json()) as Answer });
        return;
      }
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      const parser = new SseParser();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) throw new ApiError('network');
        clearTimeout(timer);
        timer = setTimeout(abort, mostSilenceMs);
        for (const event of parser.push(value)) {
          if (event.event === 'error') throw this.failed(errorOfBody(0, event.data));
          const known = parseAskEvent(event.event, event.data);
          if (known) on(known);
          if (known?.event === 'answer') {
            void reader.cancel();
            return;
          }
        }
      }
    } catch (error) {
      if (signal.aborted) throw new ApiError('cancelled');
      if (either.signal.aborted) throw new ApiError('stalled');
      throw toApiError(error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  private async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.send(method, path, body);
    try {
      return (await response.json()) as T;
    } catch {
      throw new ApiError('unexpected', `${method} ${path}`);
    }
  }

  private async send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(path, {
        method,
        headers: {
          Authorization: `Bearer ${this.key}`,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        signal,
      });
    } catch (error) {
      throw toApiError(error);
    }
    if (response.ok) return response;
    throw this.failed(errorOfBody(response.status, await response.text().catch(() => '')));
  }

  private failed(error: ApiError): ApiError {
    if (error.code === 'unauthenticated') this.onUnauthenticated();
    return error;
  }
}

function parseUploadReport(text: string): UploadReport | undefined {
  try {
    const value = JSON.parse(text) as UploadReport | null;
    return value && typeof value.outcome === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/// An event of the stream; undefined for one this console does not know (a newer program's).
export function parseAskEvent(name: string, data: string): AskEvent | undefined {
  const value = JSON.parse(data) as Record<string, unknown>;
  switch (name) {
    case 'stage':
      return { event: 'stage', ...value } as AskEvent;
    case 'passages':
      return { event: 'passages', ...value } as AskEvent;
    case 'sentence':
      return { event: 'sentence', citations: [], ...value } as unknown as AskEvent;
    case 'answer':
      return { event: 'answer', answer: value as unknown as Answer };
    default:
      return undefined;
  }
}

/// Keys are printable ASCII; anything else cannot be sent in a header and is no key of ours.
export const looksLikeKey = (key: string): boolean => /^[\x21-\x7e]{8,512}$/.test(key);
