// The policies room against the real program: a text is tried against the guard.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { checkLooks, serves, startBrowser, startProgram, withRoom } from './harness.mjs';

// a made-up number with a right check digit
const text = '客户王小明，身份证 11010519491231002X，本产品保本保收益。';
let program;
let browser;
let served;

before(async () => {
  [program, browser] = await Promise.all([startProgram(), startBrowser()]);
  served = await serves(program, '/v1/guard/scan');
}, { timeout: 90_000 });

after(async () => {
  await browser?.close();
  await program?.stop();
}, { timeout: 60_000 });

describe('policies', { concurrency: false }, () => {
  it('tries a text and marks what was found, with rule and action', async (context) => {
    if (!served) return context.skip('this program scans no texts');
    await withRoom(browser, program, 'policies', {}, async (page) => {
      await page.getByRole('button', { name: 'Try' }).click();
      await page.getByText('Write or paste a text.').waitFor();
      await page.getByLabel('Text to try').fill(text);
      await page.getByRole('button', { name: 'Try' }).click();
      await page.locator('section mark', { hasText: '11010519491231002X' }).waitFor();
      assert.equal((await page.locator('section .sheet').first().innerText()).trim(), text);
      const row = page.locator('tbody tr', { hasText: '11010519491231002X' }).first();
      assert.match(await row.innerText(), /C[123]/);
    });
  });

  it('is accessible and fits', async (context) => {
    if (!served) return context.skip('this program scans no texts');
    await checkLooks(browser, program, 'policies', async (page) => {
      await page.locator('textarea:visible').fill(text);
      await page.locator('form .button.primary:visible').click();
      await page.locator('section h2:visible').first().waitFor();
    });
  });
});
