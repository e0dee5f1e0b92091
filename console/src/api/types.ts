/// The shapes of docs/api.md. Text in them comes from documents and models: it is only ever shown as text.

export interface Me {
  tenant: string;
  user: string;
  roles: string[];
  key_id: string;
  /// The rights, where the program tells them: "audit.read", "stop.press", …
  may?: string[];
}

export type KbLanguage = 'mixed' | 'zh' | 'en';

export interface KnowledgeBase {
  name: string;
  language: KbLanguage;
  embedding_model: string;
  documents: number;
  chunks: number;
  chunks_without_vector: number;
  created: string | number;
}

export interface DocumentInfo {
  id: number;
  title: string;
  path: string;
  media_type: string;
  status: string;
  error: unknown;
  pages: number;
  chunks: number;
  chunks_without_vector: number;
  size_bytes: number;
  sha256: string;
  ingested: string | number;
  readers: string[];
}

export type UploadOutcome = 'added' | 'replaced' | 'unchanged' | 'duplicate' | 'failed';

export interface UploadReport {
  path: string;
  outcome: UploadOutcome;
  document: number;
  pages: number;
  chunks: number;
  warnings: string[];
  error?: unknown;
}

export interface PageBox {
  page: number;
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  page_width: number;
  page_height: number;
}

export interface DocumentPassage {
  chunk: number;
  page: number;
  page_last: number;
  heading: string;
  text: string;
  context: string;
  boxes: PageBox[];
}

export interface FoundPassage {
  chunk: number;
  document_id: number;
  title: string;
  page: number;
  heading: string;
  text: string;
  score: number;
  boxes?: PageBox[];
}

export type FigureStatus = 'cited' | 'computed' | 'question' | 'withheld';

export interface Figure {
  text: string;
  value: string;
  unit: string;
  status: FigureStatus;
  citation: number;
  formula: string;
  begin: number;
  end: number;
}

export type SentenceStatus = 'supported' | 'extracted' | 'computed' | 'withheld';

export interface Sentence {
  text: string;
  status: SentenceStatus;
  citations: number[];
  support: number;
  reason: string;
  figures: Figure[];
}

export interface Citation {
  n: number;
  doc: string;
  document_id: number;
  title: string;
  page: number;
  chunk: number;
  heading: string;
  quote: string;
  sha256: string;
  boxes: PageBox[];
}

export type Verdict = 'released' | 'partial' | 'extractive' | 'abstained' | 'review';

export interface Answer {
  answer: string;
  language: string;
  standalone_question: string;
  abstained: boolean;
  verdict: Verdict;
  sentences: Sentence[];
  citations: Citation[];
  figures: Figure[];
  passages: FoundPassage[];
  model: string;
  model_sha256: string;
  usage: { prompt_tokens: number; cached_tokens: number; completion_tokens: number };
  audit_index: number;
  request_id: string;
  timings: { stage: string; ms: number }[];
  /// Label of generated content: shown, and copied along. Answers kept from before have none.
  ai_label?: { text: string; AIGC: Record<string, string> };
}

export type Stage = 'search' | 'read' | 'write' | 'verify';

export type AskEvent =
  | { event: 'stage'; stage: Stage }
  | { event: 'passages'; passages: FoundPassage[] }
  | { event: 'sentence'; sentence: Sentence; citations: Citation[] }
  | { event: 'answer'; answer: Answer };

export interface HistoryMessage {
  role: 'user' | 'assistant';
  content: string;
}
