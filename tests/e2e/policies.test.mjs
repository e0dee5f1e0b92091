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

  it('lists the rules in force with clause, owner, dates and tests', async () => {
    await withRoom(browser, program, 'policies', {}, async (page) => {
      const rules = page.locator('section', { has: page.getByRole('heading', { name: 'Rules in force' }) });
      await rules.getByText('What may not be promised').click();
      const row = rules.locator('tbody tr', { hasText: 'guaranteed-principal' });
      await row.getByText('promise of principal or return').waitFor();
      assert.match(await row.innerText(), /withhold[\s\S]*316号/);
      await row.locator('summary').click();
      await row.getByText('本产品不保本，不承诺收益').waitFor();
      const shown = await rules.locator('details', { hasText: 'What may not be promised' }).first().innerText();
      assert.match(shown, /compliance[\s\S]*from 2026-09-30[\s\S]*comes with Heng/);
      await page.getByLabel('Filter rules').fill('bank_card');
      await rules.locator('tbody tr', { hasText: 'bank_card' }).first().waitFor();
      assert.equal(await rules.locator('tbody tr', { hasText: 'guaranteed-principal' }).count(), 0);
    });
  });

  it('is accessible and fits', async (context) => {
    if (!served) return context.skip('this program scans no texts');
    await checkLooks(browser, program, 'policies', async (page) => {
      await page.locator('textarea:visible').fill(text);
      await page.locator('form .button.primary:visible').click();
      await page.locator('section[aria-label] h2:visible').first().waitFor();
      await page.locator('section[aria-labelledby] summary:visible').first().click();
      await page.locator('section[aria-labelledby] tbody tr:visible').first().waitFor();
    });
  });
});
