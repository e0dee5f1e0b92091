import type { Client } from '../../api/client';
import { type ApiError, toApiError } from '../../api/errors';
import type { Answer, AskEvent, Citation, FoundPassage, HistoryMessage, Sentence, Stage } from '../../api/types';

export type TurnState = 'running' | 'done' | 'stopped' | 'failed';

/// Turns further back than this are not sent along: the rewriting of a question needs the last few only.
const mostHistoryTurns = 6;

/// One question and what became of it. While it runs, only verified sentences are in it.
export class Turn {
  state = $state<TurnState>('running');
  stage = $state<Stage | 'start'>('start');
  passages = $state.raw<FoundPassage[]>([]);
  sentences = $state.raw<Sentence[]>([]);
  citations = $state.raw<Citation[]>([]);
  answer = $state.raw<Answer>();
  error = $state.raw<ApiError>();
  elapsedMs = $state(0);
  rating = $state<-1 | 0 | 1>(0);

  constructor(
    readonly id: number,
    readonly kb: string,
    readonly question: string,
  ) {}

  take(event: AskEvent): void {
    switch (event.event) {
      case 'stage':
        this.stage = event.stage;
        break;
      case 'passages':
        this.passages = event.passages;
        break;
      case 'sentence':
        this.sentences = [...this.sentences, event.sentence];
        this.citations = [...this.citations, ...event.citations.filter((one) => !this.citation(one.n))];
        break;
      case 'answer':
        this.answer = event.answer;
        this.sentences = event.answer.sentences;
        this.citations = event.answer.citations;
        this.passages = event.answer.passages;
        break;
    }
  }

  citation(n: number): Citation | undefined {
    return this.citations.find((citation) => citation.n === n);
  }

  /// The text of the answer as far as it was released.
  get text(): string {
    return this.answer?.answer ?? this.sentences.map((sentence) => sentence.text).join(' ');
  }
}

/// A conversation with one knowledge base. Lives in memory only: questions and answers are confidential, the record
/// keeps them.
export class Conversation {
  turns = $state<Turn[]>([]);
  private next = 1;
  private abort: AbortController | undefined;

  constructor(
    private readonly client: Client,
    private readonly on: (turn: Turn, event: AskEvent | 'end') => void,
  ) {}

  get running(): Turn | undefined {
    const last = this.turns.at(-1);
    return last?.state === 'running' ? last : undefined;
  }

  async ask(kb: string, question: string): Promise<void> {
    if (this.running) return;
    const history = this.history(kb);
    this.turns.push(new Turn(this.next++, kb, question));
    const turn = this.turns.at(-1);
    if (!turn) return;
    const abort = new AbortController();
    this.abort = abort;
    const begun = performance.now();
    try {
      await this.client.ask(
        { kb, question, history },
        (event) => {
          turn.take(event);
          this.on(turn, event);
        },
        abort.signal,
      );
      turn.state = 'done';
    } catch (error) {
      turn.error = toApiError(error);
      turn.state = turn.error.code === 'cancelled' ? 'stopped' : 'failed';
    }
    turn.elapsedMs = performance.now() - begun;
    this.on(turn, 'end');
  }

  stop(): void {
    this.abort?.abort();
  }

  clear(): void {
    this.stop();
    this.turns = [];
  }

  /// Asks a failed or stopped question anew, in its place.
  async again(turn: Turn): Promise<void> {
    if (this.running) return;
    this.turns = this.turns.filter((other) => other !== turn);
    await this.ask(turn.kb, turn.question);
  }

  /// What was said about this knowledge base; another one's answers do not belong in its prompts.
  private history(kb: string): HistoryMessage[] {
    return this.turns
      .filter((turn) => turn.kb === kb && turn.answer !== undefined)
      .slice(-mostHistoryTurns)
      .flatMap((turn) => [
        { role: 'user', content: turn.question } as const,
        { role: 'assistant', content: turn.text } as const,
      ]);
  }
}
