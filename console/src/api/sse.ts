/// A parser of server-sent events (WHATWG HTML, section 9.2.6) fed with text as it arrives, in pieces of any size.

export interface ServerSentEvent {
  event: string;
  data: string;
}

/// An event longer than this is refused: a server that sends more is broken or not ours.
const mostEventCharacters = 16 * 1024 * 1024;

export class SseParser {
  private line = '';
  private afterCarriageReturn = false;
  private event = '';
  private data: string[] = [];
  private size = 0;
  private atStart = true;

  /// The events completed by this piece, in order.
  push(piece: string): ServerSentEvent[] {
    const done: ServerSentEvent[] = [];
    if (this.atStart && piece.length > 0) {
      this.atStart = false;
      if (piece.charCodeAt(0) === 0xfeff) piece = piece.slice(1);
    }
    let begin = 0;
    for (let at = 0; at < piece.length; at++) {
      const character = piece[at];
      if (character === '\n' && this.afterCarriageReturn) {
        this.afterCarriageReturn = false;
        begin = at + 1;
        continue;
      }
      this.afterCarriageReturn = false;
      if (character !== '\n' && character !== '\r') continue;
      this.afterCarriageReturn = character === '\r';
      const event = this.take(this.line + piece.slice(begin, at));
      if (event) done.push(event);
      this.line = '';
      begin = at + 1;
    }
    this.line += piece.slice(begin);
    if (this.line.length + this.size > mostEventCharacters) throw new RangeError('server-sent event too large');
    return done;
  }

  private take(line: string): ServerSentEvent | undefined {
    if (line === '') {
      const event = this.data.length > 0 ? { event: this.event || 'message', data: this.data.join('\n') } : undefined;
      this.event = '';
      this.data = [];
      this.size = 0;
      return event;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return undefined; // a comment
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    if (field === 'event') this.event = value;
    if (field === 'data') {
      this.data.push(value);
      this.size += value.length;
    }
    return undefined;
  }
}
