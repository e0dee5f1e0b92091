import type { Client } from '../../api/client';
import { type ApiError, toApiError } from '../../api/errors';
import type { DocumentInfo, KbLanguage, KnowledgeBase } from '../../api/types';

const storageName = 'heng.kb';
const pollMs = 2000;

/// The knowledge bases and the documents of the chosen one. Polls while vectors are missing and the page is seen.
export class Library {
  bases = $state.raw<KnowledgeBase[]>([]);
  kb = $state('');
  documents = $state.raw<DocumentInfo[]>([]);
  loaded = $state(false);
  documentsLoaded = $state(false);
  basesError = $state.raw<ApiError>();
  documentsError = $state.raw<ApiError>();

  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;

  constructor(private readonly client: Client) {}

  get current(): KnowledgeBase | undefined {
    return this.bases.find((base) => base.name === this.kb);
  }

  async start(): Promise<void> {
    await this.loadBases();
    const wanted = sessionStorage.getItem(storageName);
    const first = this.bases.find((base) => base.name === wanted) ?? this.bases[0];
    if (first) await this.choose(first.name);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  async loadBases(): Promise<void> {
    try {
      this.bases = await this.client.knowledgeBases();
      this.basesError = undefined;
      this.loaded = true;
    } catch (error) {
      this.basesError = toApiError(error);
    }
  }

  async choose(name: string): Promise<void> {
    if (this.kb !== name) {
      this.kb = name;
      this.documents = [];
      this.documentsLoaded = false;
      sessionStorage.setItem(storageName, name);
    }
    await this.loadDocuments();
  }

  async create(name: string, language: KbLanguage): Promise<void> {
    await this.client.createKnowledgeBase(name, language);
    await this.loadBases();
    await this.choose(name);
  }

  async remove(name: string): Promise<void> {
    await this.client.removeKnowledgeBase(name);
    await this.loadBases();
    this.kb = '';
    this.documents = [];
    const next = this.bases[0];
    if (next) await this.choose(next.name);
  }

  async removeDocument(id: number): Promise<void> {
    await this.client.removeDocument(this.kb, id);
    await this.loadDocuments();
  }

  async loadDocuments(): Promise<void> {
    const kb = this.kb;
    clearTimeout(this.timer);
    if (kb === '') return;
    try {
      const documents = await this.client.documents(kb);
      if (kb !== this.kb) return;
      this.documents = documents;
      this.documentsError = undefined;
      this.documentsLoaded = true;
    } catch (error) {
      if (kb !== this.kb) return;
      this.documentsError = toApiError(error);
    }
    const waiting = this.documents.some((document) => document.status !== 'failed' && document.chunks_without_vector > 0);
    if (waiting && !this.stopped) this.timer = setTimeout(() => this.poll(), pollMs);
  }

  private poll(): void {
    if (document.visibilityState === 'visible') void this.loadDocuments();
    else this.timer = setTimeout(() => this.poll(), pollMs);
  }
}
