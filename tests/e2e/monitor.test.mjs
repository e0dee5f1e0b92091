// The monitor room against the real program: stop buttons and figures.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { call, checkLooks, makeKey, startBrowser, startProgram, withRoom } from './harness.mjs';

let program;
let browser;
const keys = {};

before(async () => {
  [program, browser] = await Promise.all([startProgram(), startBrowser()]);
  for (const [name, roles] of [['first', ['operator']], ['second', ['operator']], ['auditor', ['auditor']], ['clerk', []]]) {
    keys[name] = await makeKey(program, `e2e.${name}`, roles);
  }
}, { timeout: 90_000 });

after(async () => {
  await browser?.close();
  await program?.stop();
}, { timeout: 60_000 });

const halting = async () => (await call(program, 'GET', '/v1/stops')).body.stops.filter((stop) => stop.halts);

describe('monitor', { concurrency: false }, () => {
  it('halts after a confirmation that names what stops, and goes on with two people', async () => {
    await withRoom(browser, program, 'monitor', { key: keys.first }, async (page) => {
      await page.getByText('Nothing is halted.').waitFor();
      await page.getByRole('button', { name: 'Halt…' }).click();
      await page.getByText('Say which one to halt.').waitFor();
      await page.getByRole('combobox', { name: /^Halt/ }).selectOption('desk');
      await page.getByLabel('Name').fill('loans');
      await page.getByRole('button', { name: 'Halt…' }).click();
      await page.getByText('Say why:').waitFor();
      await page.getByLabel('Reason').fill('wrong rates in answers');
      await page.getByRole('button', { name: 'Halt…' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText('Desk loans').waitFor();
      await dialog.getByText('Nobody at the desk “loans”').waitFor();
      await dialog.getByRole('button', { name: 'Cancel' }).click();
      assert.equal((await halting()).length, 0, 'nothing is halted before the confirmation');
      await page.getByRole('button', { name: 'Halt…' }).click();
      await dialog.getByRole('button', { name: 'Halt now' }).click();
      await page.locator('.halted').getByText('wrong rates in answers').waitFor();
      assert.equal((await halting())[0].name, 'loans');
      await page.getByRole('button', { name: 'Ask to lift' }).click();
      await dialog.getByLabel('Reason').fill('rates corrected');
      await dialog.getByRole('button', { name: 'Ask to lift' }).click();
      await page.getByText('You asked. A second person must agree.').waitFor();
      assert.equal((await halting()).length, 1, 'one person does not lift it');
    });
    await withRoom(browser, program, 'monitor', { key: keys.second }, async (page) => {
      await page.getByText('e2e.first asked to lift this').waitFor();
      await page.getByRole('button', { name: 'Agree and lift' }).click();
      await page.getByRole('dialog').getByLabel('Reason').fill('checked');
      await page.getByRole('dialog').getByRole('button', { name: 'Agree and lift' }).click();
      await page.getByText('Nothing is halted.').waitFor();
      await page.getByText('Lifted (1)').waitFor();
    });
    assert.equal((await halting()).length, 0);
  });

  it('says what the program refuses', async () => {
    await withRoom(browser, program, 'monitor', { key: keys.first }, async (page) => {
      await page.getByRole('combobox', { name: /^Halt/ }).selectOption('everything');
      assert.equal(await page.getByLabel('Name').count(), 0);
      await page.getByLabel('Reason').fill('a drill');
      await page.getByRole('button', { name: 'Halt…' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Halt now' }).click();
      await page.getByText('reaches beyond your tenant').waitFor();
    });
  });

  it('draws the figures of the program and counts refusals', async () => {
    await withRoom(browser, program, 'monitor', {}, async (page) => {
      const refusals = page.locator('figure', { hasText: 'Refusals' });
      await refusals.getByText('Two readings are needed').waitFor();
      for (let at = 0; at < 3; at++) await call(program, 'GET', '/v1/keys', undefined, keys.clerk);
      await refusals.locator('polyline').waitFor({ timeout: 30_000 });
      const shown = await page.locator('section[aria-labelledby=monitor-now] .facts').innerText();
      const total = Number(/Refusals\s+(\d+)/.exec(shown)?.[1]);
      assert.ok(total >= 3, shown);
    });
  });

  it('is accessible and fits', async () => {
    const made = await call(program, 'POST', '/v1/stops', { kind: 'model', name: 'some-model', reason: 'a drill' });
    assert.equal(made.status, 201);
    await checkLooks(browser, program, 'monitor', async (page) => {
      await page.locator('.halted').waitFor();
      await page.locator('figure').nth(3).waitFor();
    });
  });
});
