import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { accessibilityProblems, fixtures, openPage, recorded, samples, signIn, startBrowser, startProgram } from './harness.mjs';

/// A small model answers in seconds; a busy machine makes it a minute.
const answerMs = 150_000;
const kb = 'e2e';
let program;
let browser;

before(async () => {
  [program, browser] = await Promise.all([startProgram(), startBrowser()]);
}, { timeout: 90_000 });

after(async () => {
  await browser?.close();
  await program?.stop();
}, { timeout: 60_000 });

/// A signed-in page, closed after the test, which fails on any trouble the page had.
async function withPage(options, use) {
  const { page, context, troubles } = await openPage(browser, program.address, options);
  try {
    await signIn(page, program.key);
    await use(page);
    assert.deepEqual(troubles, []);
  } finally {
    await context.close();
  }
}

async function ask(page, question) {
  const before = await page.locator('article').count();
  await page.locator('#question').fill(question);
  await page.keyboard.press('Enter');
  const turn = page.locator('article').nth(before);
  await turn.locator('footer').waitFor({ timeout: answerMs });
  return turn;
}

/// Uploads, and waits until the document can be found by words.
async function upload(page, ...files) {
  await page.locator('input[type=file]').setInputFiles(files);
  for (const file of files) {
    const name = file.split('/').at(-1);
    await page.locator('.uploads li.done', { hasText: name }).waitFor({ timeout: 60_000 });
  }
}

async function useAnswer(page, events, status = 200) {
  await page.route('**/v1/ask', (route) =>
    status === 200
      ? route.fulfill({ status, contentType: 'text/event-stream', body: recorded(events) })
      : route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(events) }),
  );
}

const noSideways = (page) => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);

describe('console', { concurrency: false }, () => {
  it('refuses a wrong key with words that help, and keeps a right one in this tab only', async () => {
    const { page, context, troubles } = await openPage(browser, program.address);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Enter your access key.').waitFor();
    await page.locator('#key').fill('heng_0000000000000000000000000000');
    await page.keyboard.press('Enter');
    await page.getByText('This key is not known here').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'key');
    await signIn(page, program.key);
    const stored = await page.evaluate(() => [JSON.stringify(sessionStorage), JSON.stringify(localStorage), document.cookie]);
    assert.ok(stored[0].includes(program.key));
    assert.ok(!stored[1].includes(program.key) && !stored[2].includes(program.key));
    await page.reload();
    await page.locator('.bar').waitFor();
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('#key').waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.getItem('heng.key')), null);
    assert.deepEqual(troubles, []);
    await context.close();
  });

  it('leads from an upload to a cited passage highlighted on the page, and takes a rating', async () => {
    await withPage({}, async (page) => {
      await page.locator('.library').getByRole('button', { name: 'New knowledge base' }).click();
      await page.getByLabel('Name').fill(kb);
      await page.getByRole('button', { name: 'Create' }).click();
      await page.getByText('No documents yet').waitFor();
      await upload(page, `${samples}gold-card-金卡章程.pdf`);
      await page.locator('.documents li').first().waitFor();

      const turn = await ask(page, '金卡的年费是每年多少元？');
      assert.match(await turn.locator('.record').innerText(), /Record \d+/);
      assert.match(await turn.locator('.text').first().innerText(), /300/);
      assert.ok((await turn.locator('.sentence button.verdict').count()) >= 1);

      const citation = turn.locator('button.citation').first();
      await citation.click();
      const frame = page.locator('[data-rendered]');
      await frame.waitFor();
      const mark = page.locator('.highlight.passage').first();
      await mark.waitFor();
      const [box, around] = [await mark.boundingBox(), await frame.boundingBox()];
      assert.ok(box.width > 40 && box.height > 5, 'the passage has a box');
      assert.ok(box.y >= around.y - 4 && box.y < around.y + around.height, 'the box is in view');
      const words = await page.evaluate(() => {
        const areas = [...document.querySelectorAll('.highlight')].map((mark) => mark.getBoundingClientRect());
        const inside = (one) => areas.some((area) => one.top + one.height / 2 > area.top && one.top + one.height / 2 < area.bottom);
        return [...document.querySelectorAll('.words span')].filter((span) => inside(span.getBoundingClientRect())).map((span) => span.textContent).join('');
      });
      assert.match(words.replace(/\s/g, ''), /300/);
      const inked = await page.locator('.paper canvas').evaluate((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let dark = 0;
        for (let at = 0; at < data.length; at += 4) if (data[at] < 100) dark++;
        return dark;
      });
      assert.ok(inked > 500, `the page is drawn (${inked} dark pixels)`);

      await page.keyboard.press('Escape');
      await page.locator('aside.source').waitFor({ state: 'detached' });
      assert.ok(await citation.evaluate((element) => element === document.activeElement), 'the focus is back');

      const stored = page.waitForResponse((response) => response.url().endsWith('/v1/feedback'));
      await turn.getByRole('button', { name: 'Right and useful' }).click();
      assert.equal((await stored).status(), 204);
      await turn.getByLabel('What should be known').fill('年费正确');
      const again = page.waitForRequest((request) => request.url().endsWith('/v1/feedback'));
      await turn.getByRole('button', { name: 'Send' }).click();
      assert.deepEqual(Object.keys((await again).postDataJSON()).sort(), ['audit_index', 'comment', 'stars']);
      await turn.getByText('It is stored with the record').waitFor();
    });
  });

  it('marks the quote in a document without pages, and carries the conversation along', async () => {
    await withPage({}, async (page) => {
      await upload(page, `${samples}personal-loan-terms.md`);
      const turn = await ask(page, 'What is charged for late payment of the personal loan?');
      await turn.locator('.sources button', { hasText: /loan/i }).first().click();
      const mark = page.locator('aside.source mark, aside.source .cited').first();
      await mark.waitFor();
      await page.waitForTimeout(300);
      const [box, around] = [await mark.boundingBox(), await page.locator('aside.source .frame').boundingBox()];
      assert.ok(box.y + box.height > around.y && box.y < around.y + around.height, 'the mark is in view');
      await page.keyboard.press('Escape');
      await useAnswer(page, withheldAnswer());
      const asked = page.waitForRequest((request) => request.url().endsWith('/v1/ask'));
      await ask(page, 'And after 90 days?');
      const body = (await asked).postDataJSON();
      assert.deepEqual(body.history.map((message) => message.role), ['user', 'assistant']);
      assert.equal(body.kb, kb);
    });
  });

  it('shows hostile documents as text: nothing runs, nothing is fetched', async () => {
    await withPage({}, async (page) => {
      await upload(page, `${fixtures}hostile.md`, `${fixtures}hostile.html`);
      const turn = await ask(page, 'When does the vault open, and what does a safe deposit box of size M cost?');
      for (const details of await turn.locator('.details details').all()) await details.evaluate((element) => (element.open = true));
      for (const name of ['hostile', 'Safe deposit', 'Vault']) {
        const entry = page.locator('.documents .open', { hasText: new RegExp(name, 'i') }).first();
        if ((await entry.count()) === 0) continue;
        await entry.click();
        await page.locator('aside.source section').first().waitFor();
        await page.waitForTimeout(200);
      }
      const found = await page.evaluate(() => ({
        owned: window.owned ?? null,
        elements: document.querySelectorAll('#app img, #app iframe, #app object, #app script, #app style, #app a[href^="javascript"], #app form[action]').length,
      }));
      assert.deepEqual(found, { owned: null, elements: 0 });
    });
  });

  it('tells why a file was not taken, and offers to remove documents', async () => {
    await withPage({}, async (page) => {
      await page.locator('input[type=file]').setInputFiles([
        { name: 'empty.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) },
        { name: 'broken.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7\nnot really') },
      ]);
      await page.locator('.uploads li.empty', { hasText: 'The file is empty.' }).waitFor();
      await page.locator('.uploads li.failed', { hasText: 'broken.pdf' }).waitFor();
      assert.match(await page.locator('.uploads li.failed .status').innerText(), /Not added: ./);
      const entry = page.locator('.documents li', { hasText: /hostile|Vault/ }).first();
      const before = await page.locator('.documents li:not(.failed)').count();
      await entry.getByRole('button', { name: /^Remove/ }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.waitForFunction((n) => document.querySelectorAll('.documents li:not(.failed)').length === n - 1, before);
    });
  });

  it('takes dropped files, for the roles that were named', async () => {
    await withPage({}, async (page) => {
      await page.locator('#question:enabled').waitFor();
      await page.getByText('Who may read them').click();
      await page.getByLabel('Who may read them').fill('auditor, risk');
      const sent = page.waitForRequest((request) => request.method() === 'POST' && request.url().includes('/documents?'));
      await page.evaluate(() => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(['The dropped note says that the reserve ratio is 7.5 percent.'], 'dropped note.txt'));
        for (const type of ['dragenter', 'dragover', 'drop']) {
          window.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
        }
      });
      const query = new URL((await sent).url()).searchParams;
      assert.deepEqual([query.get('path'), query.get('readers')], ['dropped note.txt', 'auditor,risk']);
      await page.locator('.documents li', { hasText: 'For auditor, risk only' }).waitFor();
    });
  });

  it('stops an answer on request', async () => {
    await withPage({}, async (page) => {
      await page.locator('#question:enabled').fill('Describe everything about fees, interest, deposits and loans.');
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Stop' }).click();
      await page.getByText('Stopped.').first().waitFor();
      assert.equal(await page.getByRole('button', { name: 'Ask', exact: true }).count(), 1);
    });
  });

  it('shows what was withheld and computed, and explains each figure', async () => {
    await withPage({ locale: 'zh-CN' }, async (page) => {
      await useAnswer(page, withheldAnswer());
      const turn = await ask(page, '净利润变化多少？');
      assert.equal(await turn.locator('.seal').innerText(), '部分未放行');
      assert.deepEqual(
        await turn.locator('.marks span').evaluateAll((marks) => marks.map((mark) => mark.className.split(' ')[0])),
        ['supported', 'withheld', 'computed'],
      );
      assert.equal(await turn.locator('.figure.cited').innerText(), '3,991 万元');
      await turn.locator('.figure.computed').click();
      const panel = page.getByRole('dialog');
      await panel.getByText('(3991 - 5506) / 5506 = -0.2752').waitFor();
      await page.keyboard.press('Escape');
      assert.ok(await turn.locator('.figure.computed').evaluate((element) => element === document.activeElement));
      await turn.locator('button.withheld').click();
      await panel.getByText('出处 [1] 没有 8.8%').waitFor();
      assert.equal(await turn.locator('.text').innerText().then((text) => text.includes('8.8')), false);
    });
  });

  it('says what to do when something fails', async () => {
    await withPage({}, async (page) => {
      await useAnswer(page, { error: { code: 'overloaded', message: 'the queue of 64 is full', request_id: '01JTEST' } }, 503);
      await page.locator('#question:enabled').fill('A question');
      await page.keyboard.press('Enter');
      await page.getByText('The program is busy.').waitFor();
      await page.getByText('Request 01JTEST').waitFor();
      await page.unroute('**/v1/ask');
      await useAnswer(page, [['stage', { stage: 'search' }], ['error', { error: { code: 'unavailable', message: 'no model' } }]]);
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByText('Details: no model').waitFor();
      await page.unroute('**/v1/ask');
      await page.route('**/v1/ask', (route) => route.fulfill({ contentType: 'text/event-stream', body: recorded([['stage', { stage: 'search' }]]) }));
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByText('The program cannot be reached.').waitFor();
      await page.unroute('**/v1/ask');
      await useAnswer(page, { error: { code: 'unauthenticated', message: 'revoked' } }, 401);
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByText('Your key is no longer accepted.').waitFor();
    });
  });

  it('works from the keyboard', async () => {
    await withPage({}, async (page) => {
      await page.locator('#question:enabled').waitFor();
      await page.keyboard.press('Tab');
      assert.equal(await page.evaluate(() => document.activeElement.classList[0]), 'skip');
      await page.keyboard.press('Enter');
      assert.equal(await page.evaluate(() => document.activeElement.id), 'question');
      await page.keyboard.type('one');
      await page.keyboard.press('Shift+Enter');
      await page.keyboard.type('two ?n/u');
      assert.equal(await page.locator('#question').inputValue(), 'one\ntwo ?n/u');
      await page.locator('.scroller').focus();
      await page.keyboard.press('?');
      await page.getByRole('dialog').getByText('Keyboard shortcuts').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.locator('.scroller').focus();
      await page.keyboard.press('/');
      assert.equal(await page.evaluate(() => document.activeElement.id), 'question');
    });
  });

  it('remembers language and appearance, and speaks to screen readers', async () => {
    await withPage({ locale: 'zh-CN', colorScheme: 'dark' }, async (page) => {
      assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN');
      const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      await page.getByRole('button', { name: 'English' }).click();
      await page.getByRole('button', { name: /^Appearance/ }).click();
      await page.reload();
      await page.locator('.bar').waitFor();
      assert.equal(await page.title(), 'Heng — ask your documents');
      assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), dark);
      await useAnswer(page, withheldAnswer());
      await ask(page, '净利润变化多少？');
      const spoken = await page.locator('[role=status][aria-live=polite]').first().innerText();
      assert.match(spoken, /withheld/);
    });
  });

  for (const [width, height, colorScheme, locale] of [[390, 844, 'dark', 'zh-CN'], [768, 1024, 'light', 'en-GB'], [1440, 900, 'light', 'zh-CN']]) {
    it(`is accessible and fits ${width} pixels, ${colorScheme}, ${locale}`, async () => {
      const { page, context, troubles } = await openPage(browser, program.address, { viewport: { width, height }, colorScheme, locale, reducedMotion: 'reduce' });
      const check = async (where) => {
        assert.deepEqual(await accessibilityProblems(page), [], where);
        assert.ok(await noSideways(page), `${where} fits`);
      };
      await check('sign-in');
      await signIn(page, program.key);
      await page.locator('#question:enabled').waitFor();
      await check('welcome');
      await useAnswer(page, withheldAnswer());
      const turn = await ask(page, '净利润变化多少？');
      for (const details of await turn.locator('.details details').all()) await details.evaluate((element) => (element.open = true));
      await check('answer');
      await turn.locator('button.withheld').click();
      await check('explanation');
      await page.keyboard.press('Escape');
      if (width < 760) {
        await page.locator('button.menu').click();
        await page.waitForTimeout(100);
        await check('library');
      }
      await page.locator('.documents .open', { hasText: /金卡|gold/i }).first().click();
      await page.locator('[data-rendered]').waitFor();
      await check('source');
      assert.deepEqual(troubles, []);
      await context.close();
    });
  }
});

/// As recorded from the program, shortened: one sentence released, one withheld, one computed.
function withheldAnswer() {
  const citation = {
    n: 1, doc: 'report.pdf', document_id: 999999, title: '年度报告', page: 7, chunk: 5, heading: '经营情况', quote: '净利润 3,991 万元，上年 5,506 万元',
    sha256: 'ab'.repeat(32), boxes: [],
  };
  const figure = (text, status, more) => ({ text, value: '', unit: '', status, citation: 1, formula: '', begin: 0, end: 0, ...more });
  const first = {
    text: '净利润为 3,991 万元。[1]', status: 'supported', citations: [1], support: 0.94, reason: '', figures: [figure('3,991 万元', 'cited')],
  };
  const withheld = { text: '股息率为 8.8%。[1]', status: 'withheld', citations: [1], support: 0.1, reason: '出处 [1] 没有 8.8%', figures: [figure('8.8%', 'withheld')] };
  const last = {
    text: '比上年下降 27.52%。[1]', status: 'computed', citations: [1], support: 0.9, reason: '',
    figures: [figure('27.52%', 'computed', { value: '-0.2752', formula: '(3991 - 5506) / 5506' })],
  };
  const passages = [{ chunk: 5, document_id: 999999, title: '年度报告', page: 7, heading: '经营情况', text: '净利润 3,991 万元，上年 5,506 万元', score: 0.8 }];
  return [
    ['stage', { stage: 'search' }],
    ['passages', { passages }],
    ['sentence', { sentence: first, citations: [citation] }],
    ['sentence', { sentence: last, citations: [] }],
    ['answer', {
      answer: `${first.text}${last.text}`, language: 'zh', standalone_question: '净利润变化多少？', abstained: false, verdict: 'partial',
      sentences: [first, withheld, last], citations: [citation], figures: [], passages, model: 'test', model_sha256: '',
      usage: { prompt_tokens: 10, cached_tokens: 0, completion_tokens: 5 }, audit_index: 3, request_id: '01JTEST', timings: [{ stage: 'search', ms: 10 }],
    }],
  ];
}
