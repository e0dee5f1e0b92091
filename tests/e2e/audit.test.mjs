// The audit room and the way between rooms, against the real program.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { call, checkLooks, makeKey, openPage, samples, signIn, startBrowser, startProgram, withRoom } from './harness.mjs';

const kb = 'audited';
const question = '金卡的年费是每年多少元？';
let program;
let browser;
let answer;
let auditor;
let clerk;

before(async () => {
  [program, browser] = await Promise.all([startProgram(), startBrowser()]);
  await call(program, 'POST', '/v1/kb', { name: kb, language: 'zh' });
  const file = 'gold-card-金卡章程.pdf';
  const added = await call(program, 'POST', `/v1/kb/${kb}/documents?path=${encodeURIComponent(file)}`, readFileSync(`${samples}${file}`));
  assert.equal(added.body.outcome, 'added');
  answer = (await call(program, 'POST', '/v1/ask', { kb, question })).body;
  assert.ok(answer.audit_index >= 0);
  [auditor, clerk] = await Promise.all([makeKey(program, 'chen.auditor', ['auditor']), makeKey(program, 'wang.clerk', ['teller'])]);
}, { timeout: 300_000 });

after(async () => {
  await browser?.close();
  await program?.stop();
}, { timeout: 60_000 });

describe('rooms', { concurrency: false }, () => {
  it('are reached by address, bar and digits, with their own title, and keep the conversation', async () => {
    await withRoom(browser, program, 'ask', {}, async (page) => {
      await page.locator('#question:enabled').fill('half a question');
      await page.getByRole('navigation').getByRole('link', { name: 'Audit' }).click();
      await page.getByRole('heading', { name: 'Audit', level: 1 }).waitFor();
      assert.equal(await page.title(), 'Audit — Heng');
      assert.equal(new URL(page.url()).hash, '#audit');
      await page.locator('main#room').focus();
      await page.keyboard.press('1');
      await page.locator('#question').waitFor({ state: 'visible' });
      assert.equal(await page.locator('#question').inputValue(), 'half a question');
      await page.goBack();
      await page.getByRole('heading', { name: 'Audit', level: 1 }).waitFor();
      await page.locator('.skip').focus();
      await page.keyboard.press('Enter');
      assert.equal(await page.evaluate(() => document.activeElement.id), 'room');
      await page.keyboard.press('?');
      await page.getByRole('dialog').getByText('Go to a room').waitFor();
    });
  });

  it('are offered to those who may use them; an unknown address leads to Ask', async () => {
    await withRoom(browser, program, 'audit', { key: clerk }, async (page) => {
      await page.locator('#question').waitFor({ state: 'visible' });
      assert.equal(new URL(page.url()).hash, '#ask');
      assert.equal(await page.getByRole('navigation').getByRole('link', { name: 'Audit' }).count(), 0);
      await page.evaluate(() => (window.location.hash = 'vault/%ff'));
      await page.waitForFunction(() => window.location.hash === '#ask');
    });
  });

  it('fold into a menu on a narrow screen', async () => {
    await withRoom(browser, program, 'ask', { viewport: { width: 390, height: 844 } }, async (page) => {
      const fold = page.getByRole('button', { name: 'Rooms: Ask' });
      await fold.click();
      await page.locator('nav').getByRole('link', { name: 'Audit' }).click();
      await page.getByRole('heading', { name: 'Audit', level: 1 }).waitFor();
      await page.getByRole('button', { name: 'Rooms: Audit' }).click();
      await page.keyboard.press('Escape');
      await page.locator('nav ul').waitFor({ state: 'hidden' });
      assert.ok(await page.getByRole('button', { name: 'Rooms: Audit' }).evaluate((element) => element === document.activeElement));
    });
  });
});

describe('audit', { concurrency: false }, () => {
  it('shows what was asked, answered and read, with the hashes, and proves it in the browser', async () => {
    await withRoom(browser, program, 'audit', { key: auditor }, async (page) => {
      await page.getByLabel('Filter by text').fill('年费');
      const row = page.locator('.list li a', { hasText: question });
      assert.equal(await row.count(), 1);
      await row.click();
      const record = page.locator('section.record');
      await record.getByText('What was answered').waitFor();
      assert.match(await record.innerText(), /chen|local|admin|unknown/);
      const stored = (await call(program, 'GET', `/v1/audit/${answer.audit_index}`)).body;
      assert.ok(stored.closed.passages.length > 0);
      for (const passage of stored.closed.passages) await record.getByText(passage.sha256).first().waitFor();
      if (stored.closed.model_sha256) await record.getByText(stored.closed.model_sha256).waitFor();
      await record.getByRole('button', { name: 'Prove' }).click();
      await record.getByText('Checked in this browser').waitFor();
      await record.getByRole('button', { name: 'Copy Root' }).waitFor();
      await page.keyboard.press('Escape');
      await record.waitFor({ state: 'detached' });
      await page.waitForFunction(() => document.activeElement?.id.startsWith('record-'));
    });
  });

  it('says so where a proof does not hold', async () => {
    await withRoom(browser, program, `audit/${answer.audit_index}`, {}, async (page) => {
      await page.route('**/proof', async (route) => {
        const response = await route.fetch();
        const proof = await response.json();
        proof.hashes = proof.hashes.map((hash, at) => (at === 0 ? `${hash[0] === '0' ? '1' : '0'}${hash.slice(1)}` : hash));
        await route.fulfill({ response, json: proof });
      });
      await page.getByRole('button', { name: 'Prove' }).click();
      await page.getByText('The proof does not hold').waitFor();
    });
  });

  it('explains a record with its passages and saves it as a page', async () => {
    await withRoom(browser, program, `audit/${answer.audit_index}`, {}, async (page) => {
      await page.getByRole('button', { name: 'Explain with passages' }).click();
      await page.getByText('unchanged since').first().waitFor();
      const download = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Save as a web page' }).click();
      const file = readFileSync(await (await download).path(), 'utf8');
      assert.match(file, /<html/);
      assert.ok(file.includes(question));
    });
  });

  it('loads older records, filters by outcome and user, and speaks of failures', async () => {
    for (let at = 0; at < 5; at++) await call(program, 'GET', '/v1/keys', undefined, clerk);
    await withRoom(browser, program, 'audit', {}, async (page) => {
      await page.locator('.list li').first().waitFor();
      await page.getByRole('combobox', { name: /^User/ }).selectOption('wang.clerk');
      await page.waitForFunction(() => document.querySelectorAll('.list li').length >= 5);
      const actions = await page.locator('.list .action').allInnerTexts();
      assert.deepEqual([...new Set(actions)], ['refused']);
      await page.route('**/v1/audit?*', (route) =>
        route.fulfill({ status: 503, contentType: 'application/json', body: JSON.stringify({ error: { code: 'unavailable', message: 'the ledger is locked' } }) }),
      );
      await page.getByRole('button', { name: 'Reload' }).click();
      await page.getByText('Details: the ledger is locked').waitFor();
      await page.unroute('**/v1/audit?*');
      await page.evaluate(() => (window.location.hash = 'audit/99999999'));
      await page.getByText('This is not there any more').waitFor();
    });
  });

  it('is accessible and fits, list and record', async () => {
    await checkLooks(browser, program, 'audit', (page) => page.locator('.list li').first().waitFor());
    await checkLooks(browser, program, `audit/${answer.audit_index}`, async (page) => {
      await page.locator('section.record .facts').first().waitFor();
      await page.locator('section.record .actions button').last().click();
      await page.locator('.proof .result').waitFor();
    });
  });
});

it('the sign-in page leads back to the room of the address', async () => {
  const { page, context, troubles } = await openPage(browser, program.address);
  await page.evaluate(() => (window.location.hash = 'audit'));
  await signIn(page, program.key);
  await page.getByRole('heading', { name: 'Audit', level: 1 }).waitFor();
  assert.deepEqual(troubles, []);
  await context.close();
});
