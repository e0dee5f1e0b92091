// Starts the program on a new folder and a browser beside it; both end with the tests.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const modules = process.env.HENG_E2E_MODULES ?? fileURLToPath(new URL('./node_modules', import.meta.url));
const load = createRequire(join(modules, 'any.js'));
const { chromium } = load('playwright-core');
const axeSource = readFileSync(load.resolve('axe-core/axe.min.js'), 'utf8');

export const samples = fileURLToPath(new URL('../../samples/documents/', import.meta.url));
export const fixtures = fileURLToPath(new URL('./fixtures/', import.meta.url));

const startMs = 60_000;

/// Where the packages of package-lock.json are.
export { modules };

/// The program under test: {address, key, stop()}. `prepare(heng, dir)` runs before it serves; port 0 is any free one.
export async function startProgram(prepare = () => {}, port = 0) {
  if (process.env.HENG_E2E_URL) return { address: process.env.HENG_E2E_URL, key: process.env.HENG_E2E_KEY, stop: async () => {} };
  const heng = join(process.env.HENG_BIN, 'heng');
  const folder = mkdtempSync(join(tmpdir(), 'heng-e2e-'));
  const dir = join(folder, 'bank');
  const { key } = JSON.parse(execFileSync(heng, ['init', dir, '--json'], { encoding: 'utf8' }));
  useSmallModel(heng, dir);
  prepare(heng, dir);
  const program = spawn(heng, ['serve', '--dir', dir, '--port', String(port)], { stdio: ['ignore', 'pipe', 'pipe'] });
  process.once('exit', () => {
    program.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1)); // leaves no program behind
  let log = '';
  program.stderr.on('data', (piece) => (log = (log + piece).slice(-20_000)));
  const ended = new Promise((resolve) => program.once('exit', resolve));
  const address = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`heng serve printed no address in ${startMs} ms\n${log}`)), startMs);
    createInterface({ input: program.stdout }).once('line', (line) => {
      clearTimeout(timer);
      resolve(line.trim());
    });
    program.once('exit', (code) => reject(new Error(`heng serve ended with ${code}\n${log}`)));
  });
  const stop = async () => {
    program.kill('SIGTERM');
    const late = setTimeout(() => program.kill('SIGKILL'), 25_000);
    await ended;
    clearTimeout(late);
    rmSync(folder, { recursive: true, force: true });
  };
  return { address, key, stop };
}

/// The page is under test here, not the model's wits: the smallest chat model that is there answers soonest.
function useSmallModel(heng, dir) {
  const models = execFileSync(heng, ['models', 'list', '--json', '--dir', dir], { encoding: 'utf8' });
  const small = /"(qwen2\.5-coder-0\.5b[^"]*?)(?:\.gguf)?"/.exec(models)?.[1];
  if (!small) return;
  const file = join(dir, 'heng.toml');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^# chat = ""/m, `chat = "${small}"`));
}

export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.HENG_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
  });
}

/// A page that must stay honest: it collects what should never happen (errors, dialogs, requests to elsewhere). `also`: an
/// address that the browser may go to; what that site's own pages ask for is not the page's, and is not fetched.
export async function openPage(browser, address, { also, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(45_000);
  const troubles = [];
  const foreign = (url) => !url.startsWith(address) && !(also && (url.startsWith(also) || page.url().startsWith(also))) && !/^(blob|data|about):/.test(url);
  page.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => foreign(request.url()) && troubles.push(`request: ${request.url()}`));
  page.on('console', (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) troubles.push(`policy: ${message.text()}`);
  });
  if (also) await page.route((url) => ![address, also].some((start) => url.href.startsWith(start)) && /^https?:/.test(url.href), (route) => route.abort());
  await page.goto(`${address}/`);
  return { page, context, troubles };
}

export async function signIn(page, key) {
  await page.locator('#key').fill(key);
  await page.keyboard.press('Enter');
  await page.locator('.bar').waitFor();
}

/// What the program answers to a request outside of the page: {status, body}. For setting up what a room then shows.
export async function call(program, method, path, body, key = program.key) {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(`${program.address}${path}`, {
    method,
    headers: { Authorization: `Bearer ${key}`, ...(raw || body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    body: raw || body === undefined ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const json = /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, body: json ? JSON.parse(text) : text };
}

/// A key with these roles, made by the first administrator.
export async function makeKey(program, user, roles) {
  const { status, body } = await call(program, 'POST', '/v1/keys', { user, name: user, roles });
  if (status !== 201) throw new Error(`no key for ${user}: ${status} ${JSON.stringify(body)}`);
  return body.secret;
}

/// Whether the program serves a path of its description.
export async function serves(program, path) {
  return path in (await call(program, 'GET', '/openapi.json')).body.paths;
}

/// Runs `use` on a signed-in page at `room`; fails on any trouble that the page had.
export async function withRoom(browser, program, room, options, use) {
  const { key = program.key, ...rest } = options;
  const { page, context, troubles } = await openPage(browser, program.address, rest);
  try {
    await signIn(page, key);
    await page.evaluate((name) => (window.location.hash = name), room);
    await use(page);
    if (troubles.length > 0) throw new Error(troubles.join('\n'));
  } finally {
    await context.close();
  }
}

/// Four looks at a room: wide and narrow, light and dark, both languages. `ready` waits for what must be seen.
export const looks = [
  { width: 1440, height: 900, colorScheme: 'light', locale: 'en-GB' },
  { width: 1440, height: 900, colorScheme: 'dark', locale: 'zh-CN' },
  { width: 390, height: 844, colorScheme: 'light', locale: 'zh-CN' },
  { width: 390, height: 844, colorScheme: 'dark', locale: 'en-GB' },
];

export async function checkLooks(browser, program, room, ready, options = {}) {
  for (const { width, height, colorScheme, locale } of looks) {
    const where = `${room} ${width} ${colorScheme} ${locale}`;
    await withRoom(browser, program, room, { viewport: { width, height }, colorScheme, locale, ...options }, async (page) => {
      await ready(page);
      if (process.env.HENG_E2E_SHOTS) await page.screenshot({ path: join(process.env.HENG_E2E_SHOTS, `${where.replace(/\W+/g, '-')}.png`) });
      const problems = await accessibilityProblems(page);
      if (problems.length > 0) throw new Error(`${where}: ${problems.join('\n')}`);
      const [wanted, there] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
      if (wanted > there) throw new Error(`${where}: ${wanted} pixels wide in ${there}`);
    });
  }
}

/// Violations of WCAG 2.2 A and AA, as lines.
export async function accessibilityProblems(page) {
  await page.evaluate(axeSource);
  const result = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
  );
  return result.violations.map(
    (violation) => `${violation.id}: ${violation.nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ''}`).join('; ')}`,
  );
}

/// A recorded stream of an answer, for states that a real model does not show on demand.
export function recorded(events) {
  return events.map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join('');
}
