// The review room against the real program.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { call, checkLooks, makeKey, startBrowser, startProgram, withRoom } from './harness.mjs';

let program;
let browser;
const keys = {};

const draft = (more = {}) => ({
  kind: 'action', resource: 'transfer', question: '向供应商付款', proposed: '{"pay":"ACME","amount":"1200.00 CNY"}', rule: 'payments over 1000', reason: 'The model says: the invoice matches.',
  evidence: [{ document: 'invoice-77.pdf', page: 2, text: 'Invoice 77: 1,200.00 CNY, ACME' }], ...more,
});

async function submit(more) {
  const { status, body } = await call(program, 'POST', '/v1/reviews', draft(more), keys.clerk);
  assert.equal(status, 201, JSON.stringify(body));
  return body.id;
}

before(async () => {
  [program, browser] = await Promise.all([startProgram(), startBrowser()]);
  for (const [name, roles] of [['clerk', []], ['reviewer', ['reviewer']], ['second', ['reviewer']], ['supervisor', ['supervisor']]]) {
    keys[name] = await makeKey(program, `e2e.${name}`, roles);
  }
}, { timeout: 90_000 });

after(async () => {
  await browser?.close();
  await program?.stop();
}, { timeout: 60_000 });

describe('review', { concurrency: false }, () => {
  it('shows the evidence, then the text, then (on request) the reason, and approves exactly that text', async () => {
    const id = await submit();
    await withRoom(browser, program, 'review', { key: keys.reviewer }, async (page) => {
      await page.locator(`#review-${id}`).click();
      const item = page.locator('section.item');
      await item.getByText('Invoice 77: 1,200.00 CNY, ACME').waitFor();
      const whole = await item.innerText();
      assert.ok(whole.indexOf('Invoice 77') < whole.indexOf('"pay":"ACME"'), 'the evidence stands before the text');
      assert.ok(!whole.includes('The model says'), 'the reason is folded');
      assert.ok(!whole.includes('e2e.clerk'), 'the author is not shown');
      await item.getByRole('button', { name: 'I have read the evidence' }).click();
      await item.getByText('The model says: the invoice matches.').waitFor();
      const sent = page.waitForRequest((request) => request.url().endsWith('/decide'));
      await item.locator('form').getByRole('button', { name: 'Approve', exact: true }).click();
      const body = (await sent).postDataJSON();
      const stored = (await call(program, 'GET', `/v1/reviews/${id}`, undefined, keys.supervisor)).body;
      assert.equal(body.sha256, stored.sha256);
      await item.getByText(/^Approved/).first().waitFor();
      assert.equal((await call(program, 'GET', `/v1/reviews/${id}`, undefined, keys.supervisor)).body.state, 'approved');
      await page.keyboard.press('Escape');
      await item.getByText('Choose an item').waitFor();
    });
  });

  it('asks why before a rejection, and keeps the reason', async () => {
    const id = await submit();
    await withRoom(browser, program, `review/${id}`, { key: keys.reviewer }, async (page) => {
      const form = page.locator('section.item form');
      await form.getByLabel('Reject').check();
      await form.getByRole('button', { name: 'Reject' }).click();
      await form.getByText('Say why').waitFor();
      await form.getByLabel('Reason (required)').fill('The invoice is not ours.');
      await form.getByRole('button', { name: 'Reject' }).click();
      await page.locator('section.item').getByText('The invoice is not ours.').waitFor();
    });
    const stored = (await call(program, 'GET', `/v1/reviews/${id}`, undefined, keys.reviewer)).body;
    assert.equal(stored.state, 'rejected');
  });

  it('tells humanly of a conflict and reads again, keeping what was written', async () => {
    const id = await submit();
    await withRoom(browser, program, `review/${id}`, { key: keys.reviewer }, async (page) => {
      const form = page.locator('section.item form');
      await form.waitFor();
      const { body } = await call(program, 'GET', `/v1/reviews/${id}`, undefined, keys.second);
      const other = await call(program, 'POST', `/v1/reviews/${id}/decide`, { decision: 'reject', sha256: body.sha256, reason: 'a duplicate' }, keys.second);
      assert.equal(other.status, 200);
      await form.getByLabel('Reason (optional)').fill('looks right');
      await form.getByRole('button', { name: 'Approve', exact: true }).click();
      await page.getByText('Your vote was not counted').waitFor();
      await page.getByRole('button', { name: 'Read what stands there now' }).click();
      await page.locator('.facts').getByText('Rejected').waitFor();
    });
  });

  it('lets an author see the own item without the text, and nobody else', async () => {
    const id = await submit();
    await withRoom(browser, program, `review/${id}`, { key: keys.clerk }, async (page) => {
      await page.getByText('The text is not shown to you').first().waitFor();
      assert.equal(await page.locator('section.item form').count(), 0);
      await page.getByText('Deciding needs the role').waitFor();
    });
  });

  it('shows how well people review', async () => {
    const planted = await call(program, 'POST', '/v1/reviews', { ...draft({ proposed: '{"pay":"ACNE","amount":"9200.00 CNY"}' }), planted: 'reject' }, keys.supervisor);
    assert.equal(planted.status, 201, JSON.stringify(planted.body));
    const seen = (await call(program, 'GET', `/v1/reviews/${planted.body.id}`, undefined, keys.reviewer)).body;
    await call(program, 'POST', `/v1/reviews/${planted.body.id}/decide`, { decision: 'reject', sha256: seen.sha256, reason: 'another payee' }, keys.reviewer);
    await withRoom(browser, program, 'review', { key: keys.supervisor }, async (page) => {
      await page.getByText('Planted errors caught: 1 of 1').waitFor();
      await page.getByText('Cohen’s kappa').waitFor();
    });
  });

  it('is accessible and fits, queue and item', async () => {
    const id = await submit();
    await checkLooks(browser, program, 'review', (page) => page.locator(`#review-${id}`).waitFor(), { key: keys.supervisor });
    await checkLooks(browser, program, `review/${id}`, async (page) => {
      await page.locator('section.item form').waitFor();
      await page.locator('section.item form input[value=edit]').check();
    }, { key: keys.reviewer });
  });
});
