import type { Client } from '../../api/client';
import { type ApiError, toApiError } from '../../api/errors';
import type { DocumentInfo, DocumentPassage, PageBox } from '../../api/types';

/// What to show of a document: a cited passage with its quote, a passage found, or the document from its start.
export interface SourceTarget {
  kb: string;
  documentId: number;
  title: string;
  page: number;
  chunk?: number;
  heading?: string;
  quote?: string;
  boxes?: PageBox[];
  n?: number;
}

/// The source pane's contents. The document shown last is kept, so that the next citation in it opens at once.
export class SourceViewer {
  target = $state.raw<SourceTarget>();
  document = $state.raw<DocumentInfo>();
  original = $state.raw<ArrayBuffer>();
  passages = $state.raw<DocumentPassage[]>();
  error = $state.raw<ApiError>();
  loading = $state(false);
  /// Counts openings, so that the same citation clicked twice scrolls into view again.
  opened = $state(0);

  private loadedKb = '';
  private abort: AbortController | undefined;

  constructor(
    private readonly client: Client,
    private readonly wantsOriginal: (document: DocumentInfo) => boolean,
  ) {}

  async open(target: SourceTarget): Promise<void> {
    this.target = target;
    this.opened++;
    if (this.document?.id === target.documentId && this.loadedKb === target.kb && !this.error) return;
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    this.document = this.original = this.passages = this.error = undefined;
    this.loading = true;
    try {
      const document = await this.client.document(target.kb, target.documentId);
      if (abort.signal.aborted) return;
      const original = this.wantsOriginal(document)
        ? await this.client.original(target.kb, target.documentId, abort.signal)
        : undefined;
      const passages = original ? undefined : await this.client.passages(target.kb, target.documentId, abort.signal);
      if (abort.signal.aborted) return;
      this.document = document;
      this.original = original;
      this.passages = passages;
      this.loadedKb = target.kb;
    } catch (error) {
      if (!abort.signal.aborted) this.error = toApiError(error);
    } finally {
      if (!abort.signal.aborted) this.loading = false;
    }
  }

  close(): void {
    this.target = undefined;
  }

  /// Forgets a document that was replaced or removed.
  forget(): void {
    this.abort?.abort();
    this.target = this.document = this.original = this.passages = this.error = undefined;
    this.loading = false;
  }

  async loadPassages(): Promise<void> {
    if (this.passages || !this.document) return;
    const { id } = this.document;
    try {
      const passages = await this.client.passages(this.loadedKb, id);
      if (this.document?.id === id) this.passages = passages;
    } catch (error) {
      this.error = toApiError(error);
    }
  }

  /// The original's bytes for saving.
  async bytes(): Promise<ArrayBuffer | undefined> {
    if (!this.document) return undefined;
    try {
      return this.original ?? (await this.client.original(this.loadedKb, this.document.id));
    } catch (error) {
      this.error = toApiError(error);
      return undefined;
    }
  }
}
