import type { Citation, Figure, Sentence } from '../../api/types';

export type DetailContent =
  | { kind: 'sentence'; sentence: Sentence; citations: Citation[] }
  | { kind: 'figure'; figure: Figure; citation: Citation | undefined }
  | { kind: 'withheld'; sentences: Sentence[] };

/// The one small panel that explains a mark in an answer. Opened by a mark, closed by Escape or a click elsewhere.
export class Detail {
  content = $state.raw<DetailContent>();
  anchor = $state.raw<HTMLElement>();
  openCitation: (citation: Citation) => void = () => {};

  show(anchor: HTMLElement, content: DetailContent, openCitation: (citation: Citation) => void): void {
    if (this.anchor === anchor) {
      this.close();
      return;
    }
    this.anchor = anchor;
    this.content = content;
    this.openCitation = openCitation;
  }

  close(): void {
    this.anchor = undefined;
    this.content = undefined;
  }
}
