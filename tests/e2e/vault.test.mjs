// A masked value in the review room: a second person agrees, the first reads it once.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { call, checkLooks, makeKey, startBrowser, startProgram, withRoom } from './harness.mjs';

const card = '4111111111111111';
const policy = fileURLToPath(new URL('../../src/guard/pii/policies/personal_data.toml', import.meta.url));
let program;
let browser;
let token;
const keys = {};

function keepCardsInTheVault(_heng, dir) {
  mkdirSync(join(dir, 'policies'));
  writeFileSync(join(dir, 'policies', 'personal_data.toml'), readFileSync(policy, 'utf8').replace(/(name = "bank_card"\nclass = "C2"\naction = )"mask"/, '$1"vault"'));
}

async function ask(reason) {
  const { status, body } = await call(program, 'POST', '/v1/vault/requests', { token, reason }, keys.ana);
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

before(async () => {
  [program, browser] = await Promise.all([startProgram(keepCardsInTheVault), startBrowser()]);
  for (const [name, roles] of [['ana', ['risk']], ['dpo', ['privacy']], ['reviewer', ['reviewer']]]) keys[name] = await makeKey(program, `e2e.${name}`, roles);
  const said = await call(program, 'POST', '/v1/chat/completions', { model: 'qwen2.5-coder-0.5b-instruct', messages: [{ role: 'user', content: 'Say it.' }], max_tokens: 100, heng: { grammar: `root ::= "The card ${card} is blocked."` } });
  assert.equal(said.status, 200, JSON.stringify(said.body));
  token = /\[BANK_CARD:[0-9a-f]+\]/.exec(said.body.choices[0].message.content)[0];
}, { timeout: 90_000 });

after(async () => {
  await browser?.close();
  await program?.stop();
}, { timeout: 60_000 });

describe('vault', { concurrency: false }, () => {
  it('lets a privacy officer agree and the one who asked read the value once', async () => {
    const request = await ask('fraud case 12');
    await withRoom(browser, program, `review/${request.review}`, { key: keys.ana }, async (page) => {
      await page.getByText('Deciding on unmasking needs').waitFor();
      assert.equal(await page.locator('section.item form').count(), 0, 'the requester does not decide');
    });
    await withRoom(browser, program, 'review', { key: keys.dpo }, async (page) => {
      await page.locator(`#review-${request.review}`).click();
      const item = page.locator('section.item');
      await item.getByText('fraud case 12').first().waitFor();
      assert.equal(await item.getByLabel('Approve with changes').count(), 0, 'approved or rejected as it stands');
      const sent = page.waitForRequest((each) => each.url().endsWith('/decide'));
      await item.locator('form').getByRole('button', { name: 'Approve', exact: true }).click();
      assert.equal((await sent).postDataJSON().sha256, request.sha256);
      await item.getByText(/^Approved/).first().waitFor();
      assert.ok(!(await page.content()).includes(card));
      assert.equal(await item.getByRole('button', { name: 'Read the value, once' }).count(), 0, 'the approver reads nothing');
    });
    await withRoom(browser, program, `review/${request.review}`, { key: keys.ana }, async (page) => {
      await page.getByRole('button', { name: 'Read the value, once' }).click();
      await page.getByText(card).waitFor();
      await page.keyboard.press('Escape');
      await page.getByText('Choose an item').waitFor();
      assert.ok(!(await page.content()).includes(card), 'closing forgets it');
    });
    await withRoom(browser, program, `review/${request.review}`, { key: keys.ana }, async (page) => {
      await page.locator('.facts').getByText('used').waitFor();
      assert.equal(await page.getByRole('button', { name: 'Read the value, once' }).count(), 0);
    });
  });

  it('shows reviewers of answers nothing of it', async () => {
    const request = await ask('claim 7');
    await withRoom(browser, program, 'review', { key: keys.reviewer }, async (page) => {
      await page.getByText('Nothing here.').waitFor();
      assert.equal(await page.locator(`#review-${request.review}`).count(), 0);
    });
  });

  it('looks right wide and narrow, light and dark, in both languages', async () => {
    const request = await ask('audit of June');
    await checkLooks(browser, program, `review/${request.review}`, (page) => page.getByText('audit of June').first().waitFor(), { key: keys.dpo });
  });
});
