// A stand-in for the program while working on the page: keeps documents in memory, finds passages by shared characters,
// answers by rule. A development tool: it is not shipped, and the tests run against the real program.
// usage: node dev/mock-server.mjs [PORT] [DOCUMENT…]     key: heng_development
// Questions with these words show rare states: withheld, abstain, error, overloaded, slow, compute.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { metrics, paths, roomAnswer } from './mock-rooms.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const port = Number(process.argv[2] ?? 8610);
const key = 'heng_development';
const policy = readFileSync(join(root, 'content-security-policy.txt'), 'utf8').trim();
const bases = new Map();
let nextId = 1;
let auditIndex = 16;

const types = {
  '.pdf': 'application/pdf', '.md': 'text/markdown', '.html': 'text/html', '.txt': 'text/plain', '.csv': 'text/csv',
  '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.wasm': 'application/wasm',
};
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

function createBase(name, language) {
  const base = { name, language, embedding_model: 'multilingual-e5-small', created: '2026-11-24T07:00:00Z', documents: new Map() };
  bases.set(name, base);
  return base;
}

const baseInfo = (base) => {
  const documents = [...base.documents.values()];
  const sum = (field) => documents.reduce((total, document) => total + document.info[field], 0);
  return { ...base, documents: documents.length, chunks: sum('chunks'), chunks_without_vector: sum('chunks_without_vector') };
};

function pdfPassages(bytes) {
  let xml = '';
  try {
    xml = execFileSync('pdftotext', ['-bbox-layout', '-', '-'], { input: bytes, maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'ignore'] }).toString();
  } catch {
    return { pages: 0, passages: [] }; // a broken file, to see what the page makes of it
  }
  const passages = [];
  let page = 0;
  for (const part of xml.split('<page ').slice(1)) {
    page++;
    const [, width, height] = /width="([\d.]+)" height="([\d.]+)"/.exec(part).map(Number);
    for (const block of part.split('<block ').slice(1)) {
      const [, x0, y0, x1, y1] = /xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)"/.exec(block).map(Number);
      const words = [...block.matchAll(/<word [^>]*>([^<]*)<\/word>/g)].map((match) => match[1]);
      const text = words.join(' ').replace(/(?<=[\u3000-\uffef]) (?=[\u3000-\uffef])/g, '').replace(/&amp;/g, '&');
      if (text.length < 12) continue;
      passages.push({ page, text, heading: '', boxes: [{ page, x0, y0, x1, y1, page_width: width, page_height: height }] });
    }
  }
  return { pages: page, passages };
}

function textPassages(bytes) {
  let heading = '';
  const passages = [];
  for (const text of bytes.toString('utf8').split(/\n\s*\n/)) {
    if (/^#+ /.test(text)) heading = text.replace(/^#+ /, '').split('\n')[0];
    else if (text.trim()) passages.push({ page: 0, text: text.trim(), heading, boxes: [] });
  }
  return { pages: 0, passages };
}

function addDocument(base, path, bytes, readers = [], keepBroken = false) {
  const type = types[extname(path).toLowerCase()];
  if (!type) {
    const error = { code: 'unsupported', message: `${path}: not a format that can be read` };
    return { path, outcome: 'failed', document: 0, pages: 0, chunks: 0, warnings: [], error };
  }
  const { pages, passages } = type === 'application/pdf' ? pdfPassages(bytes) : textPassages(bytes);
  if (passages.length === 0 && !keepBroken) {
    const error = { code: 'malformed_input', message: `${path}: not a readable document` };
    return { path, outcome: 'failed', document: 0, pages: 0, chunks: 0, warnings: [], error };
  }
  const id = nextId++;
  passages.forEach((passage, at) => Object.assign(passage, { chunk: id * 1000 + at, page_last: passage.page, context: '' }));
  const info = {
    id, title: basename(path, extname(path)), path, media_type: type, status: 'parsed', error: null, pages,
    chunks: passages.length, chunks_without_vector: passages.length, size_bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'), ingested: '2026-11-24T07:00:00Z', readers,
  };
  base.documents.set(id, { info, bytes, passages });
  const timer = setInterval(() => {
    info.chunks_without_vector = Math.max(0, info.chunks_without_vector - 4);
    if (info.chunks_without_vector === 0) {
      info.status = 'ready';
      clearInterval(timer);
    }
  }, 500);
  return { path, outcome: 'added', document: id, pages, chunks: passages.length, warnings: [], error: null };
}

function search(base, question, k) {
  const grams = new Set([...question.toLowerCase().replace(/\s/g, '')].map((_, at, all) => all.slice(at, at + 2).join('')));
  const found = [];
  for (const { info, passages } of base.documents.values()) {
    for (const passage of passages) {
      const text = passage.text.toLowerCase().replace(/\s/g, '');
      const score = [...grams].filter((gram) => text.includes(gram)).length / Math.sqrt(20 + text.length);
      found.push({ ...passage, document_id: info.id, doc: info.path, title: info.title, score });
    }
  }
  return found.sort((a, b) => b.score - a.score).slice(0, k);
}

const figuresOf = (text, citation) =>
  [...text.matchAll(/\d[\d,.]*\s?(?:%|万元|亿元|元|percent|million|年|个月|days)?/g)].slice(0, 4).map((match) => ({
    text: match[0].trim(), value: match[0].replace(/[^\d.]/g, ''), unit: '', status: 'cited', citation, formula: '',
    begin: [...text.slice(0, match.index)].length, end: 0,
  }));

function compose(base, question) {
  const passages = search(base, question, 6);
  const sentences = [];
  const citations = [];
  for (const [at, passage] of passages.slice(0, 3).entries()) {
    const quote = (/[^。.!?！？]{8,}[。.!?！？]?/.exec(passage.text)?.[0] ?? passage.text).trim();
    const n = at + 1;
    citations.push({ n, ...passage, sha256: 'ab'.repeat(32), quote });
    const text = `${quote}[${n}]`;
    const status = at === 2 ? 'extracted' : 'supported';
    sentences.push({ text, status, citations: [n], support: 0.93 - at * 0.1, reason: '', figures: figuresOf(quote, n) });
  }
  if (/compute|多少|growth/.test(question)) {
    const figures = [{ text: '27.5%', value: '0.275', unit: 'percent', status: 'computed', citation: 0, formula: '(5506 - 3991) / 5506', begin: 0, end: 0 }];
    sentences.push({ text: '两者相差 27.5%。[1][2]', status: 'computed', citations: [1, 2], support: 0.9, reason: '', figures });
  }
  if (/withheld|拦/.test(question)) {
    sentences.splice(1, 0, { text: '另有 8.8% 的优惠。[1]', status: 'withheld', citations: [1], support: 0.2, reason: '8.8% 不在出处 [1] 中', figures: [] });
  }
  return { passages, sentences, citations };
}

async function ask(request, response, body) {
  const { kb, question } = body;
  const send = (event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  const pace = /slow/.test(question) ? 3000 : 350;
  if (/overloaded/.test(question)) return fail(response, 503, 'overloaded', 'the queue of 64 is full; try again in 5 s');
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  const abstain = /abstain|火星/.test(question);
  const { passages, sentences, citations } = compose(bases.get(kb), question);
  const shown = abstain ? [] : sentences;
  send('stage', { stage: 'search' });
  await wait(pace);
  send('passages', { passages });
  send('stage', { stage: 'read' });
  await wait(pace);
  send('stage', { stage: 'write' });
  if (/error/.test(question)) {
    send('error', { error: { code: 'unavailable', message: 'model qwen2.5-coder-1.5b is not loaded', request_id: '01JDMOCK' } });
    return response.end();
  }
  for (const sentence of shown.filter((one) => one.status !== 'withheld')) {
    await wait(pace);
    if (response.destroyed) return;
    send('sentence', { sentence, citations: citations.filter((one) => sentence.citations.includes(one.n)) });
  }
  send('stage', { stage: 'verify' });
  await wait(pace);
  const withheld = shown.some((one) => one.status === 'withheld');
  const text = shown.filter((one) => one.status !== 'withheld').map((one) => one.text).join('\n');
  send('answer', {
    answer: abstain ? '文档中没有关于火星分行的内容。' : text, language: 'zh', standalone_question: question, abstained: abstain,
    verdict: abstain ? 'abstained' : withheld ? 'partial' : 'released', sentences: shown, citations: abstain ? [] : citations,
    figures: [], passages, model: 'qwen2.5-coder-1.5b-instruct-q4_k_m', model_sha256: 'cc324af070c2ecbf'.repeat(4),
    usage: { prompt_tokens: 1480, cached_tokens: 1210, completion_tokens: 96 }, audit_index: ++auditIndex, request_id: '01JDMOCKREQUEST',
    timings: [{ stage: 'search', ms: 14 }, { stage: 'read', ms: 610 }, { stage: 'write', ms: 1920 }, { stage: 'verify', ms: 45 }],
  });
  response.end();
}

function fail(response, status, code, message) {
  json(response, status, { error: { code, message, param: '', type: 'invalid_request_error', request_id: '01JDMOCKREQUEST' } });
}

function json(response, status, value) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(value));
}

function serveFile(response, path) {
  const file = join(root, 'dist', path === '/' ? 'index.html' : path);
  if (!existsSync(file) || path.includes('..')) return fail(response, 404, 'not_found', path);
  response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': policy });
  response.end(readFileSync(file));
}

async function documentRoute(request, response, base, url, rest) {
  const id = Number(rest[0]);
  if (!rest[0] && request.method === 'GET') {
    return json(response, 200, { documents: [...base.documents.values()].map((document) => document.info) });
  }
  if (!rest[0]) {
    const bytes = await read(request);
    await wait(600);
    const readers = url.searchParams.get('readers')?.split(',') ?? [];
    return json(response, 201, addDocument(base, url.searchParams.get('path'), bytes, readers));
  }
  const document = base.documents.get(id);
  if (!document) return fail(response, 404, 'not_found', `no document ${id}`);
  if (request.method === 'DELETE') {
    base.documents.delete(id);
    response.writeHead(204).end();
  } else if (rest[1] === 'original') {
    response.writeHead(200, { 'Content-Type': document.info.media_type });
    response.end(document.bytes);
  } else json(response, 200, rest[1] === 'passages' ? { passages: document.passages } : document.info);
}

async function read(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function route(request, response) {
  const url = new URL(request.url, 'http://localhost');
  const parts = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
  if (url.pathname === '/openapi.json') return json(response, 200, { paths: Object.fromEntries(paths.map((path) => [path, {}])) });
  if (url.pathname === '/metrics') return response.writeHead(200, { 'Content-Type': 'text/plain' }).end(metrics());
  if (parts[0] !== 'v1') return serveFile(response, url.pathname);
  if (request.headers.authorization !== `Bearer ${key}`) return fail(response, 401, 'unauthenticated', 'nobody issued this key');
  if (parts[1] === 'me') return json(response, 200, { tenant: 'bank', user: 'li.wei', roles: ['admin', 'auditor', 'reviewer'], key_id: 'k1' });
  if (parts[1] === 'ask') return ask(request, response, JSON.parse(await read(request)));
  if (parts[1] === 'feedback') return response.writeHead(204).end();
  if (parts[1] !== 'kb') {
    const body = request.method === 'POST' ? JSON.parse(await read(request)) : undefined;
    const answer = roomAnswer(request.method, parts, url.searchParams, body);
    if (answer) return json(response, ...answer);
  }
  if (parts[1] !== 'kb') return fail(response, 404, 'not_found', url.pathname);
  if (!parts[2] && request.method === 'GET') return json(response, 200, { knowledge_bases: [...bases.values()].map(baseInfo) });
  if (!parts[2]) {
    const { name, language } = JSON.parse(await read(request));
    if (bases.has(name)) return fail(response, 409, 'already_exists', `${name} exists`);
    return json(response, 201, baseInfo(createBase(name, language)));
  }
  const base = bases.get(parts[2]);
  if (!base) return fail(response, 404, 'not_found', parts[2]);
  if (parts[3] === 'documents') return documentRoute(request, response, base, url, parts.slice(4));
  bases.delete(parts[2]);
  response.writeHead(204).end();
}

const files = process.argv.slice(3);
if (files.length > 0) {
  const base = createBase('products', 'mixed');
  for (const file of files) addDocument(base, basename(file), readFileSync(file), [], true);
}
createServer((request, response) => {
  route(request, response).catch((error) => fail(response, 500, 'internal', String(error)));
}).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/  key ${key}`));
