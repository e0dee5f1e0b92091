// The market room against the real program, with a task trained here on a few made-up notes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { checkLooks, serves, startBrowser, startProgram, withRoom } from './harness.mjs';

const up = ['业绩大增，股价涨停', '订单创新高，利好不断', 'profit rose sharply', 'sales jumped to a record'];
const down = ['巨亏暴雷，股价跌停', '被立案调查，风险加大', 'profit fell sharply', 'sales dropped on weak demand'];
let program;
let browser;

function train(heng, dir) {
  const rows = Array.from({ length: 200 }, (_, at) => {
    const good = at % 2 === 0;
    return JSON.stringify({ id: at, text: `${(good ? up : down)[Math.floor(at / 2) % 4]} ${(at * 7919) % 1000}`, label: good ? 'up' : 'down' });
  });
  const file = join(dir, 'rows.jsonl');
  writeFileSync(file, `${rows.join('\n')}\n`);
  execFileSync(heng, ['train', '--task', 'tone', '--in', file, '--linear-only', '--dir', dir], { stdio: 'ignore' });
}

before(async () => {
  [program, browser] = await Promise.all([startProgram(train), startBrowser()]);
}, { timeout: 180_000 });

after(async () => {
  await browser?.close();
  await program?.stop();
}, { timeout: 60_000 });

describe('market', { concurrency: false }, () => {
  it('labels texts, says how sure and by which stage, and marks why', async () => {
    await withRoom(browser, program, 'market', {}, async (page) => {
      await page.getByLabel('Task').selectOption('tone');
      await page.getByRole('button', { name: 'Read' }).click();
      await page.getByText('Write or paste at least one text.').waitFor();
      await page.getByLabel('Texts, one a line').fill('今天股价涨停了\n\n  股价又跌停了，风险大 ');
      await page.getByRole('button', { name: 'Read' }).click();
      const results = page.locator('section article');
      await results.nth(1).waitFor();
      assert.equal(await results.count(), 2);
      const [good, bad] = [results.nth(0), results.nth(1)];
      await good.locator('strong', { hasText: /^up$/ }).waitFor();
      await bad.locator('strong', { hasText: /^down$/ }).waitFor();
      await good.getByText('answered by: linear').waitFor();
      const marks = await good.locator('mark.good').allInnerTexts();
      assert.ok(marks.join('').includes('涨'), marks.join('|'));
      assert.equal((await good.locator('p').first().innerText()).trim(), '今天股价涨停了');
      await good.getByText('Why', { exact: true }).click();
      await good.locator('.spans li').first().waitFor();
      const shares = await good.locator('.scores .share').allInnerTexts();
      const sum = shares.reduce((total, text) => total + parseFloat(text), 0);
      assert.ok(Math.abs(sum - 100) < 0.5, shares.join(' '));
    });
  });

  it('shows names and figures of a text as a table', async (context) => {
    if (!(await serves(program, '/v1/extract'))) return context.skip('this program extracts nothing');
    await withRoom(browser, program, 'market', {}, async (page) => {
      await page.getByLabel('Task').selectOption('entities');
      await page.getByLabel('Texts, one a line').fill('2024年3月5日，贵州茅台（600519）以12.5亿元收购子公司。');
      await page.getByRole('button', { name: 'Read' }).click();
      const table = page.locator('section article table');
      await table.getByText('600519').first().waitFor();
      assert.ok((await page.locator('section article mark').count()) >= 2);
    });
  });

  it('says what the program refuses', async () => {
    await withRoom(browser, program, 'market', {}, async (page) => {
      await page.getByLabel('Task').selectOption('tone');
      await page.route('**/v1/label', (route) =>
        route.fulfill({ status: 409, contentType: 'application/json', body: JSON.stringify({ error: { code: 'conflict', message: 'the task was trained on another model' } }) }),
      );
      await page.getByLabel('Texts, one a line').fill('x');
      await page.getByRole('button', { name: 'Read' }).click();
      await page.getByText('Details: the task was trained on another model').waitFor();
    });
  });

  it('is accessible and fits, with results', async () => {
    await checkLooks(browser, program, 'market', async (page) => {
      await page.locator('select:visible').first().selectOption('tone');
      await page.locator('textarea:visible').fill('今天股价涨停了，订单创新高\nsales dropped on weak demand');
      await page.locator('form .button.primary:visible').click();
      await page.locator('section article').nth(1).waitFor();
      for (const why of await page.locator('section details').all()) await why.evaluate((element) => (element.open = true));
    });
  });
});
