// The access room against the real program: keys are made, used and revoked.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { accessibilityProblems, call, checkLooks, openPage, serves, startBrowser, startProgram, withRoom } from './harness.mjs';

let program;
let browser;

before(async () => {
  [program, browser] = await Promise.all([startProgram(), startBrowser()]);
}, { timeout: 90_000 });

after(async () => {
  await browser?.close();
  await program?.stop();
}, { timeout: 60_000 });

describe('access', { concurrency: false }, () => {
  it('makes a key that works, shows it once, and revokes it', async () => {
    await withRoom(browser, program, 'access', {}, async (page) => {
      await page.getByRole('button', { name: 'New key' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('button', { name: 'Create' }).click();
      await dialog.getByText('Say whose it is.').waitFor();
      await dialog.getByLabel('User').fill('e2e.zhao');
      await dialog.getByLabel('Name', { exact: true }).fill('branch 7');
      await dialog.getByLabel('Roles').fill('auditor，reviewer auditor');
      await dialog.getByLabel('Requests a minute').fill('60');
      await dialog.getByLabel('Expires').fill('1.5');
      await dialog.getByRole('button', { name: 'Create' }).click();
      await dialog.getByText('Numbers must be whole').waitFor();
      await dialog.getByLabel('Expires').fill('30');
      await dialog.getByRole('button', { name: 'Create' }).click();
      await dialog.getByText('Copy this key now').waitFor();
      const secret = await dialog.locator('code').innerText();
      const me = await call(program, 'GET', '/v1/me', undefined, secret);
      assert.deepEqual([me.status, me.body.user, me.body.roles], [200, 'e2e.zhao', ['auditor', 'reviewer']]);
      await dialog.getByRole('button', { name: 'I have stored it' }).click();
      await dialog.waitFor({ state: 'detached' });
      assert.ok(!(await page.content()).includes(secret), 'the key is gone from the page');
      const row = page.locator('li', { hasText: 'branch 7' });
      await row.getByText('60 requests a minute').waitFor();
      await row.getByRole('button', { name: 'Revoke' }).click();
      await dialog.getByText('“branch 7” of e2e.zhao').waitFor();
      await dialog.getByRole('button', { name: 'Revoke' }).click();
      await row.waitFor({ state: 'detached' });
      assert.equal((await call(program, 'GET', '/v1/me', undefined, secret)).status, 401);
      await page.getByLabel('Also revoked ones').check();
      await row.getByText('revoked', { exact: true }).waitFor();
      await page.getByLabel('Filter by user').fill('nobody like this');
      await row.waitFor({ state: 'detached' });
    });
  });

  it('says what the program refuses', async () => {
    await withRoom(browser, program, 'access', {}, async (page) => {
      await page.getByRole('button', { name: 'New key' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('User').fill('e2e.qian');
      await dialog.getByLabel('Roles').fill('not/a/role');
      await dialog.getByRole('button', { name: 'Create' }).click();
      await dialog.getByText("'roles'").waitFor();
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    });
  });

  it('makes an account, with which its owner signs in until it is disabled', async (context) => {
    if (!(await serves(program, '/v1/users'))) return context.skip('this program has no accounts');
    const password = 'seven Rivers-of 1998 jade';
    await withRoom(browser, program, 'access', {}, async (page) => {
      await page.getByRole('button', { name: 'New account' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('User').fill('e2e.sun');
      await dialog.getByLabel('Roles').fill('auditor');
      await dialog.getByRole('button', { name: 'Create' }).click();
      await dialog.getByText('Give a first password.').waitFor();
      await dialog.getByLabel('First password').fill(password);
      await dialog.getByRole('button', { name: 'Create' }).click();
      await page.getByRole('button', { name: 'Disable e2e.sun' }).waitFor();
    });
    const { page, context: tab, troubles } = await openPage(browser, program.address);
    await page.getByText('Sign in with name and password').click();
    assert.deepEqual(await accessibilityProblems(page), []);
    await page.getByLabel('User').fill('e2e.sun');
    await page.getByLabel('Password').fill('wrong');
    await page.locator('details .button').click();
    await page.getByText('Name, password or code is wrong').waitFor();
    await page.getByLabel('Password').fill(password);
    await page.locator('details .button').click();
    await page.locator('.bar').waitFor();
    const token = await page.evaluate(() => sessionStorage.getItem('heng.key'));
    assert.equal((await call(program, 'GET', '/v1/me', undefined, token)).body.user, 'e2e.sun');
    const ended = page.waitForResponse((response) => response.url().endsWith('/v1/logout'));
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    assert.equal((await ended).status(), 204);
    assert.equal((await call(program, 'GET', '/v1/me', undefined, token)).status, 401);
    assert.deepEqual(troubles, []);
    await tab.close();
    await withRoom(browser, program, 'access', {}, async (admin) => {
      await admin.getByRole('button', { name: 'Disable e2e.sun' }).click();
      await admin.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
      await admin.locator('li', { hasText: 'e2e.sun' }).getByText('disabled').waitFor();
    });
    assert.equal((await call(program, 'POST', '/v1/login', { user: 'e2e.sun', password }, 'none')).status, 401);
  });

  it('is accessible and fits, also the form', async () => {
    await checkLooks(browser, program, 'access', (page) => page.locator('main li:visible').first().waitFor());
    await checkLooks(browser, program, 'access', async (page) => {
      await page.locator('main .button.primary:visible').first().click();
      await page.getByRole('dialog').waitFor();
    });
  });
});
