import { describe, expect, it } from 'vitest';
import { SseParser, type ServerSentEvent } from '../src/api/sse';

const stream =
  ': wait\n\nevent: stage\ndata: {"stage":"search"}\n\nevent: sentence\r\ndata: {"text":"年费\r\ndata: 300 元"}\r\n\r\ndata:plain\n\n';
const events: ServerSentEvent[] = [
  { event: 'stage', data: '{"stage":"search"}' },
  { event: 'sentence', data: '{"text":"年费\n300 元"}' },
  { event: 'message', data: 'plain' },
];

describe('SseParser', () => {
  it('reads a whole stream', () => {
    expect(new SseParser().push(stream)).toEqual(events);
  });

  it('reads the same whatever the pieces are', () => {
    for (let size = 1; size <= stream.length; size++) {
      const parser = new SseParser();
      const read: ServerSentEvent[] = [];
      for (let at = 0; at < stream.length; at += size) read.push(...parser.push(stream.slice(at, at + size)));
      expect(read, `pieces of ${size}`).toEqual(events);
    }
  });

  it('reads bytes split inside a character when decoded as a stream', () => {
    const bytes = new TextEncoder().encode(stream);
    const decoder = new TextDecoder();
    const parser = new SseParser();
    const read: ServerSentEvent[] = [];
    for (const byte of bytes) read.push(...parser.push(decoder.decode(new Uint8Array([byte]), { stream: true })));
    expect(read).toEqual(events);
  });

  it('knows lone carriage returns, a byte order mark, fields without values and unknown fields', () => {
    expect(new SseParser().push('\ufeffid: 7\revent: a\rdata\rdata: b\r\r')).toEqual([{ event: 'a', data: '\nb' }]);
  });

  it('drops an event without data and one that is not ended', () => {
    const parser = new SseParser();
    expect(parser.push('event: a\n\ndata: b\n')).toEqual([]);
  });

  it('removes one space after the colon only', () => {
    expect(new SseParser().push('data:  x\n\n')).toEqual([{ event: 'message', data: ' x' }]);
  });

  it('refuses an event without end', () => {
    const parser = new SseParser();
    expect(() => {
      for (let count = 0; count < 20; count++) parser.push('x'.repeat(1_000_000));
    }).toThrow(RangeError);
    const lines = new SseParser();
    expect(() => {
      for (let count = 0; count < 20; count++) lines.push(`data: ${'x'.repeat(1_000_000)}\n`);
    }).toThrow(RangeError);
  });
});
