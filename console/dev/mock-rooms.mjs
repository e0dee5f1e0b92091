// Invented answers for the rooms beside Ask, for working on the page: see mock-server.mjs.
import { createHash } from 'node:crypto';

const sha = (text) => createHash('sha256').update(text).digest('hex');
const now = () => new Date().toISOString();
const later = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();

export const paths = [
  '/v1/ask', '/v1/audit', '/v1/audit/{index}', '/v1/audit/{index}/proof', '/v1/audit/{index}/explain', '/v1/reviews', '/v1/stops', '/v1/keys',
  '/v1/users', '/v1/tasks', '/v1/label', '/v1/extract', '/v1/guard/scan', '/v1/items', '/v1/alerts',
];

const records = Array.from({ length: 230 }, (_, at) => {
  const index = 229 - at;
  const output = '金卡年费为每年 300 元。[1]';
  return {
    index, kind: 'close', time: later(-at * 7), tenant: 'bank', erased: index % 50 === 3, opened_index: index, closed_index: index,
    opened: { request: `01JDMOCK${index}`, action: index % 4 ? 'ask' : 'key.create', subject: '金卡的年费是多少？', resource: 'products', principal: { user: index % 3 ? 'li.wei' : 'chen', roles: ['teller'] } },
    closed: {
      outcome: index % 5 ? 'ok' : 'abstained', output, total_ms: 2210, model: 'qwen2.5-coder-1.5b', model_sha256: sha('model'), prompt_sha256: sha('prompt'),
      passages: [{ chunk: 1, sha256: sha('passage'), document: '金卡章程.pdf', page: 3, citation: 1 }], tools: [{ name: 'calculator', input: '300 * 2', output: '600' }],
      verdicts: [{ rule: 'grounding', version: '1', verdict: 'release', detail: '' }], sampling: { temperature: 0 }, usage: { prompt_tokens: 900, cached_tokens: 700, completion_tokens: 40 },
    },
  };
});

const reviews = ['waiting', 'waiting', 'approved'].map((state, at) => {
  const text = `{"pay":"ACME","amount":"${1200 + at}.00 CNY"}`;
  return {
    id: `r${at}`, state, kind: 'action', resource: 'transfer', question: '向供应商付款', text, sha256: sha(text), rule: 'payments over 1000', reason: 'The invoice matches.',
    evidence: [{ document: 'invoice-77.pdf', page: 2, sha256: sha('invoice'), text: 'Invoice 77: 1,200.00 CNY, ACME' }], approvals: 0, approvals_needed: 2, escalated: at === 0,
    redeemed: false, created: later(-90), due: later(at === 0 ? -5 : 40), expires: later(600), decided: null, valid_until: null, votes: [], author: '', audit_index: -1,
  };
});
const stops = [];
const keys = [{ id: 'k1', user: 'li.wei', name: 'first', roles: ['admin'], quota: { requests_per_minute: 0, tokens_per_day: 0 }, created: later(-9000), expires: null, last_used: now(), revoked: false }];

/// The answer [status, value] to a request, or undefined where it is none of these rooms'.
export function roomAnswer(method, parts, query, body) {
  const [, room, id, action] = parts;
  switch (room) {
    case 'audit': {
      if (!id) {
        const before = Number(query.get('before') ?? Infinity);
        return [200, { records: records.filter((record) => record.index < before).slice(0, Number(query.get('limit') ?? 50)) }];
      }
      const record = records.find((one) => one.index === Number(id));
      if (!record) return [404, { error: { code: 'not_found', message: `no record ${id}` } }];
      if (action === 'explain') return [200, { passages: [{ ...record.closed.passages[0], now: 'same', title: '金卡章程', text: '金卡年费为每年 300 元。' }], people: {}, replayable: true, versions: { heng: '0.1.0' } }];
      if (action === 'proof') {
        const entry = Buffer.from('entry');
        const leaf = createHash('sha256').update(Buffer.concat([Buffer.from([0]), entry])).digest();
        return [200, { index: 0, size: 1, leaf: leaf.toString('hex'), entry: entry.toString('base64'), hashes: [], root: leaf.toString('hex'), checkpoint: `mock\n1\n${leaf.toString('base64')}\n`, verifier_key: 'mock+key' }];
      }
      return [200, record];
    }
    case 'reviews': {
      if (!id) return [200, { reviews: reviews.filter((one) => ['all', one.state].includes(query.get('state'))) }];
      if (id === 'quality') return [200, { reviewers: [{ reviewer: 'wang', decisions: 12, approved: 8, edited: 1, rejected: 3, planted: 4, caught: 3, catch_rate: 0.75, catch_rate_interval: [0.3, 0.95], median_seconds: 140 }], pairs: 6, agreement: 0.83, kappa: 0.61, waiting: 2, overdue: 1, approved: 8, rejected: 3, expired: 0 }];
      const item = reviews.find((one) => one.id === id);
      if (!item) return [404, { error: { code: 'not_found', message: `no item ${id}` } }];
      if (action === 'decide') Object.assign(item, { state: body.decision === 'reject' ? 'rejected' : 'approved', decided: now(), votes: [{ reviewer: 'li.wei', decision: body.decision, sha256: body.sha256, reason: body.reason, time: now() }] });
      return [200, item];
    }
    case 'stops':
      if (method === 'POST' && !id) stops.unshift({ id: stops.length + 1, name: '', tenant: null, ...body, stopped_by: 'li.wei', stopped: now(), resume_asked_by: '', resumed_by: '', resumed: null, halts: true });
      if (action === 'resume') Object.assign(stops.find((one) => one.id === Number(id)), { resume_asked_by: 'li.wei', resume_asked: now() });
      return [200, method === 'POST' ? (stops.find((one) => one.id === Number(id)) ?? stops[0]) : { stops }];
    case 'keys':
      if (method === 'DELETE') Object.assign(keys.find((one) => one.id === id), { revoked: true });
      if (method === 'POST') keys.push({ id: `k${keys.length + 1}`, created: now(), expires: null, last_used: null, revoked: false, ...body });
      return method === 'POST' ? [201, { ...keys.at(-1), secret: 'heng_mock_0123456789' }] : [200, { keys }];
    case 'users':
      return [200, { users: [{ user: 'li.wei', name: '李伟', roles: ['admin'], desk: 'loans', clearance: 'C2', purpose: '', disabled: false, totp: true, created: now(), last_login: now() }] }];
    case 'tasks':
      return [200, { tasks: [{ name: 'sentiment-zh', kind: 'label', description: 'Tone of a post', labels: ['positive', 'negative', 'neutral'], roles: [], tiers: ['linear'], metrics: { accuracy: 0.81 }, rows: 100, evaluation_only: false }] }];
    case 'label':
      return [200, { task: body.task, results: body.texts.map((text) => ({ label: 'positive', confidence: 0.8, scores: { positive: 0.8, negative: 0.2 }, tier: 'linear', abstained: false, evidence: [{ start: 0, end: 2, weight: 1.2 }, { start: Math.max(0, [...text].length - 2), end: [...text].length, weight: -0.4 }] })) }];
    case 'extract':
      return [200, { task: body.task, results: body.items.map((text) => ({ entities: [{ type: 'company', word: [...text].slice(0, 4).join(''), span: [0, 4], id: '600519', name: '贵州茅台' }] })) }];
    case 'guard':
      return [200, { verdict: 'mask', masked: body.text.replace(/\d/g, '*'), injection_score: 0.1, findings: [...body.text.matchAll(/\d{6,}/g)].map((match) => ({ kind: 'personal_data', type: 'number', class: 'C2', start: [...body.text.slice(0, match.index)].length, end: [...body.text.slice(0, match.index)].length + match[0].length, action: 'mask', rule: 'mock' })) }];
    case 'streams':
      return [200, { streams: [{ name: 'news', items: 40, duplicates: 2, near_duplicates: 1, rejected: 0, last_ingest: now(), tasks: ['sentiment-zh'] }] }];
    case 'items':
      return [200, { items: query.has('after') ? [] : Array.from({ length: 40 }, (_, at) => ({ number: 40 - at, stream: 'news', id: `${at}`, source: '', published: later(-at * 11), ingested: later(-at * 11), duplicate_of: null, copies: 0, near_copies: 0, labels: [{ task: 'sentiment-zh', label: at % 3 ? 'positive' : 'negative', confidence: 0.9, tier: 'linear' }], events: [], entities: [], errors: [], text: '贵州茅台业绩大增，股价创新高' })) }];
    case 'alerts':
      if (id === 'stream') return undefined;
      return [200, { alerts: [{ id: 1, rule: 'r1', name: { zh: '一小时内三条负面', en: 'Three negative items in an hour' }, severity: 'high', stream: 'news', key: '贵州茅台', raised: now(), count: 3, suppressed: 1, text: '', state: 'open', acknowledged_by: '', acknowledged: null, note: '' }] }];
    default:
      return undefined;
  }
}

export const metrics = () => {
  const seconds = Math.floor(Date.now() / 1000) % 100_000;
  return `heng_http_requests_total{route="/v1/ask",method="POST",status="200"} ${seconds * 2}\nheng_http_requests_total{route="/v1/keys",method="GET",status="403"} ${Math.floor(seconds / 9)}
heng_tokens_total{model="m",kind="prompt"} ${seconds * 300}\nheng_http_queue{pool="work"} ${seconds % 5}\nheng_answers_total{verdict="released"} 40\nheng_answers_total{verdict="partial"} 6\nheng_ledger_records 230\n`;
};
