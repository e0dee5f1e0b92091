// Signing in at an identity provider: npm's oidc-provider with its own login page in the browser, then providers that lie.
import assert from 'node:assert/strict';
import { constants, createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { writeFileSync, readFileSync, chmodSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { accessibilityProblems, call, modules, openPage, startBrowser, startProgram } from './harness.mjs';

const { Provider } = await import(pathToFileURL(join(modules, 'oidc-provider', 'lib', 'index.js')).href);

const secret = 'a client secret of forty characters 12345';
const groups = { zhao: ['staff', 'heng-analysts'], qian: ['heng-analysts', 'heng-admins'], nobody: ['staff'], admin: ['heng-analysts'] };
const pair = (kind, options, id, alg) => {
  const { privateKey, publicKey } = generateKeyPairSync(kind, options);
  const more = { kid: id, alg, use: 'sig' };
  return { privateKey, pem: publicKey.export({ type: 'spki', format: 'pem' }), secret: { ...privateKey.export({ format: 'jwk' }), ...more }, open: { ...publicKey.export({ format: 'jwk' }), ...more } };
};
const keys = {
  RS256: pair('rsa', { modulusLength: 2048 }, 'rsa', 'RS256'),
  ES256: pair('ec', { namedCurve: 'P-256' }, 'ec', 'ES256'),
  EdDSA: pair('ed25519', {}, 'ed', 'EdDSA'),
};

/// A port that is free now; both sides must know each other's before either starts.
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/// The real provider; `alg` signs its ID tokens.
async function startProvider(issuer, redirect, alg) {
  const provider = new Provider(issuer, {
    jwks: { keys: Object.values(keys).map((key) => key.secret) },
    cookies: { keys: ['a key for cookies of the test'] },
    conformIdTokenClaims: false,
    claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups'] },
    clients: [{
      client_id: 'heng', client_secret: secret, redirect_uris: [redirect], post_logout_redirect_uris: [redirect.replace('sign-in', '')],
      response_types: ['code'], grant_types: ['authorization_code'], id_token_signed_response_alg: alg,
    }],
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: `staff|${id}`, name: `Person ${id}`, preferred_username: id, groups: groups[id] ?? [] }) }),
  });
  const server = createServer(provider.callback());
  await new Promise((resolve) => server.listen(Number(new URL(issuer).port), '127.0.0.1', resolve));
  return { stop: () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())) };
}

function useProvider(dir, issuer, redirect, more = '') {
  const file = join(dir, 'oidc.secret');
  writeFileSync(file, `${secret}\n`);
  chmodSync(file, 0o600);
  const settings = `
[oidc]
name = "Harbour Bank"
issuer = "${issuer}"
client_id = "heng"
client_secret_file = "oidc.secret"
redirect = "${redirect}"
user_claim = "preferred_username"
${more}
[[oidc.map]]
claim = "groups"
value = "heng-analysts"
roles = ["analyst"]
desk = "loans"
clearance = "C2"

[[oidc.map]]
claim = "groups"
value = "heng-admins"
roles = ["admin"]
`;
  const config = join(dir, 'heng.toml');
  writeFileSync(config, readFileSync(config, 'utf8') + settings);
}

let browser;
before(async () => {
  browser = await startBrowser();
}, { timeout: 90_000 });
after(async () => {
  await browser?.close();
}, { timeout: 60_000 });

describe('with oidc-provider', { concurrency: false }, () => {
  let program, provider, issuer, redirect;

  before(async () => {
    const port = await freePort();
    issuer = `http://127.0.0.1:${await freePort()}`;
    redirect = `http://127.0.0.1:${port}/sign-in`;
    provider = await startProvider(issuer, redirect, 'RS256');
    program = await startProgram((_, dir) => useProvider(dir, issuer, redirect, 'logout_at_provider = true'), port);
  }, { timeout: 90_000 });
  after(async () => {
    await program?.stop();
    await provider?.stop();
  }, { timeout: 60_000 });

  /// From Heng's page through the provider's login and consent, and back.
  async function signInAs(page, user, button) {
    await page.getByRole('button', { name: button }).click();
    await page.locator('input[name=login]').fill(user);
    await page.locator('input[name=password]').fill('any');
    await page.locator('button[type=submit]').click();
    await page.getByRole('button', { name: 'Continue' }).click();
  }

  for (const [alg, locale, button] of [['RS256', 'en-GB', 'Sign in with Harbour Bank'], ['ES256', 'zh-CN', '用 Harbour Bank 登录'], ['EdDSA', 'en-GB', 'Sign in with Harbour Bank']]) {
    it(`signs a person in and out, ID token by ${alg}, ${locale}`, async () => {
      await provider.stop();
      provider = await startProvider(issuer, redirect, alg);
      const { page, context, troubles } = await openPage(browser, program.address, { locale, also: issuer });
      await page.getByRole('button', { name: button }).waitFor();
      assert.deepEqual(await accessibilityProblems(page), []);
      await signInAs(page, 'zhao', button);
      await page.locator('.bar').waitFor();
      assert.ok(!page.url().includes('code=') && !page.url().includes('/sign-in'), page.url());
      const token = await page.evaluate(() => sessionStorage.getItem('heng.key'));
      const me = (await call(program, 'GET', '/v1/me', undefined, token)).body;
      assert.deepEqual([me.user, me.tenant, me.roles, me.desk, me.clearance], ['zhao', 'default', ['analyst'], 'loans', 'C2']);
      assert.equal((await call(program, 'GET', '/v1/audit', undefined, token)).status, 403);
      // signing out ends the session here, and leads to the provider's own sign-out
      await page.getByRole('button', { name: locale === 'zh-CN' ? '账户' : 'Account' }).click();
      await page.getByRole('button', { name: locale === 'zh-CN' ? '退出登录' : 'Sign out' }).click();
      await page.waitForURL(`${issuer}/session/end**`);
      assert.equal((await call(program, 'GET', '/v1/me', undefined, token)).status, 401);
      assert.deepEqual(troubles, []);
      await context.close();
    });
  }

  it('gives what the claims say and records it', async () => {
    const { page, context } = await openPage(browser, program.address, { also: issuer });
    await signInAs(page, 'qian', 'Sign in with Harbour Bank');
    await page.locator('.bar').waitFor();
    const token = await page.evaluate(() => sessionStorage.getItem('heng.key'));
    assert.deepEqual((await call(program, 'GET', '/v1/me', undefined, token)).body.roles, ['analyst', 'admin']);
    const person = (await call(program, 'GET', '/v1/users', undefined, token)).body.users.find((user) => user.user === 'qian');
    assert.equal(person.issuer, issuer);
    const login = (await call(program, 'GET', '/v1/audit?limit=50')).body.records.find((record) => record.opened?.action === 'login' && record.opened.principal.user === 'qian');
    assert.equal(login.opened.resource, '/v1/oidc/finish');
    // an account that is disabled here cannot come back through the provider
    assert.equal((await call(program, 'DELETE', '/v1/users/qian')).status, 204);
    assert.equal((await call(program, 'GET', '/v1/me', undefined, token)).status, 401);
    await context.close();
    const second = await openPage(browser, program.address, { also: issuer });
    await signInAs(second.page, 'qian', 'Sign in with Harbour Bank');
    await second.page.getByText('your account is disabled').waitFor();
    await second.context.close();
  });

  it('refuses whom nobody gave anything, and says so in both languages', async () => {
    for (const [locale, button, words] of [['en-GB', 'Sign in with Harbour Bank', 'you have no rights here'], ['zh-CN', '用 Harbour Bank 登录', '您在此没有权限']]) {
      const { page, context, troubles } = await openPage(browser, program.address, { locale, also: issuer });
      await signInAs(page, 'nobody', button);
      await page.getByText(words).waitFor();
      assert.equal(await page.evaluate(() => sessionStorage.getItem('heng.key')), null);
      assert.deepEqual(await accessibilityProblems(page), []);
      assert.deepEqual(troubles, []);
      await context.close();
    }
    const records = (await call(program, 'GET', '/v1/audit?limit=20')).body.records;
    assert.ok(records.some((r) => r.opened?.action === 'refused' && r.opened.resource === '/v1/oidc/finish' && r.closed?.outcome === 'error:permission_denied'));
  });

  it('takes no local account over', async () => {
    assert.equal((await call(program, 'POST', '/v1/users', { user: 'admin', password: 'seven Rivers-of 1998 jade', roles: ['admin'] })).status, 201);
    const { page, context } = await openPage(browser, program.address, { also: issuer });
    await signInAs(page, 'admin', 'Sign in with Harbour Bank');
    await page.getByText('another account of your name').waitFor();
    await context.close();
  });

  it('cannot be finished in another browser, nor twice', async () => {
    const victim = await openPage(browser, program.address, { also: issuer });
    const attacker = await openPage(browser, program.address, { also: issuer });
    // the attacker stops on the way back and gives the address to the victim
    await attacker.page.route('**/sign-in?*', (route) => route.abort());
    const stopped = attacker.page.waitForRequest('**/sign-in?*');
    await signInAs(attacker.page, 'zhao', 'Sign in with Harbour Bank').catch(() => {});
    const address = (await stopped).url();
    await victim.page.goto(address);
    await victim.page.getByText('The sign-in did not hold').waitFor();
    assert.equal(await victim.page.evaluate(() => sessionStorage.getItem('heng.key')), null);
    assert.equal(new URL(victim.page.url()).search, '', 'the code leaves the address');
    // the state is used up: the attacker's own browser cannot finish it any more
    await attacker.page.unroute('**/sign-in?*');
    await attacker.page.goto(address);
    await attacker.page.getByText('The sign-in did not hold').waitFor();
    await victim.context.close();
    await attacker.context.close();
  });

  it('says when the provider is gone', async () => {
    await provider.stop();
    const begun = (await call(program, 'POST', '/v1/oidc/start', {}, 'none')).body;
    const state = new URL(begun.url).searchParams.get('state');
    const end = await call(program, 'POST', '/v1/oidc/finish', { state, browser: begun.browser, code: 'x', iss: issuer }, 'none');
    assert.equal(end.status, 503, JSON.stringify(end.body));
    provider = await startProvider(issuer, redirect, 'RS256');
  });
});

describe('with a provider that lies', { concurrency: false }, () => {
  let program, server, issuer, answer, jwks, described;
  const b64 = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const now = () => Math.floor(Date.now() / 1000);

  function token(claims, { alg = 'RS256', kid = 'rsa', header = {}, key = keys.RS256.privateKey } = {}) {
    const bytes = `${b64({ alg, kid, ...header })}.${b64(claims)}`;
    if (alg === 'none') return `${bytes}.`;
    if (alg.startsWith('HS')) return `${bytes}.${createHmac('sha256', key).update(bytes).digest('base64url')}`;
    return `${bytes}.${sign('sha256', Buffer.from(bytes), { key, padding: constants.RSA_PKCS1_PADDING }).toString('base64url')}`;
  }

  before(async () => {
    const port = await freePort();
    issuer = `http://127.0.0.1:${await freePort()}`;
    jwks = { keys: [keys.RS256.open] };
    described = (base) => ({ issuer: base, authorization_endpoint: `${base}/auth`, token_endpoint: `${base}/token`, jwks_uri: `${base}/jwks`, authorization_response_iss_parameter_supported: true });
    server = createServer((request, response) => {
      const bodies = {
        '/.well-known/openid-configuration': () => JSON.stringify(described(issuer)), '/jwks': () => (typeof jwks === 'string' ? jwks : JSON.stringify(jwks)),
        '/token': () => JSON.stringify({ access_token: 'at', token_type: 'Bearer', id_token: answer() }),
      };
      response.setHeader('content-type', 'application/json');
      response.end(bodies[request.url]?.() ?? '{}');
    });
    await new Promise((resolve) => server.listen(Number(new URL(issuer).port), '127.0.0.1', resolve));
    program = await startProgram((_, dir) => useProvider(dir, issuer, `http://127.0.0.1:${port}/sign-in`), port);
  }, { timeout: 90_000 });
  after(async () => {
    await program?.stop();
    server?.closeAllConnections();
    server?.close();
  }, { timeout: 60_000 });

  /// A whole sign-in whose token is what `make(claims)` gives; `back` may be bent.
  async function signInWith(make, bend = (back) => back) {
    const begun = (await call(program, 'POST', '/v1/oidc/start', {}, 'none')).body;
    const query = new URL(begun.url).searchParams;
    const claims = { iss: issuer, aud: 'heng', sub: 'staff|1', exp: now() + 300, iat: now(), nonce: query.get('nonce'), preferred_username: 'sun', groups: ['heng-analysts'] };
    answer = () => make(claims);
    const back = bend({ state: query.get('state'), browser: begun.browser, code: 'c', iss: issuer });
    return { ...(await call(program, 'POST', '/v1/oidc/finish', back, 'none')), nonce: query.get('nonce'), back };
  }
  /// Refused for the reason named, and on record with it.
  async function refused(why, make, bend) {
    const got = await signInWith(make, bend);
    assert.equal(got.status, 401, `${why}: ${JSON.stringify(got.body)}`);
    assert.ok(got.body.error.message.includes(why), `${why}: ${got.body.error.message}`);
    const [last] = (await call(program, 'GET', '/v1/audit?limit=1')).body.records;
    assert.deepEqual([last.opened.action, last.opened.resource, last.closed.outcome], ['refused', '/v1/oidc/finish', 'error:unauthenticated']);
    assert.ok(last.opened.subject.includes(why), last.opened.subject);
    return got;
  }

  it('takes an honest token, once', async () => {
    const got = await signInWith((claims) => token(claims));
    assert.equal(got.status, 200, JSON.stringify(got.body));
    assert.equal((await call(program, 'GET', '/v1/me', undefined, got.body.token)).body.user, 'sun');
    const again = await call(program, 'POST', '/v1/oidc/finish', got.back, 'none');
    assert.equal(again.status, 401);
    await refused('nonce', (claims) => token({ ...claims, nonce: got.nonce }));
  });

  it('refuses forged, foreign, stale and oversized tokens, each for its reason', async () => {
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await refused('(alg)', (claims) => token(claims, { alg: 'none' }));
    await refused('(alg)', (claims) => token(claims, { alg: 'HS256', key: keys.RS256.pem }));
    await refused('signature', (claims) => token(claims, { key: stranger.privateKey }));
    await refused('signature', (claims) => token(claims, { key: stranger.privateKey, header: { jwk: stranger.publicKey.export({ format: 'jwk' }), jku: `${issuer}/evil` } }));
    await refused('(kid)', (claims) => token(claims, { kid: 'unknown' }));
    await refused('(aud)', (claims) => token({ ...claims, aud: 'another' }));
    await refused('(azp)', (claims) => token({ ...claims, aud: ['heng', 'another'] }));
    await refused('(iss)', (claims) => token({ ...claims, iss: 'https://evil.test' }));
    await refused('(exp)', (claims) => token({ ...claims, exp: now() - 61 }));
    await refused('(iat)', (claims) => token({ ...claims, iat: now() + 90 }));
    await refused('(nbf)', (claims) => token({ ...claims, nbf: now() + 90 }));
    await refused('(at_hash)', (claims) => token({ ...claims, at_hash: 'wrong' }));
    await refused('larger than 128 KiB', () => 'a'.repeat(1_000_000));
    await refused('the limit is 16384', (claims) => token({ ...claims, groups: Array(2000).fill('heng-analysts') }));
    await refused('another provider', (claims) => token(claims), (back) => ({ ...back, iss: 'https://evil.test' }));
    await refused('another provider', (claims) => token(claims), ({ iss, ...back }) => back);
    await refused('another browser', (claims) => token(claims), (back) => ({ ...back, browser: 'x' }));
  });

  it('lets an address wait after thirty failures in a minute', async () => {
    const codes = [];
    while (codes.at(-1) !== 429 && codes.length < 100) codes.push((await call(program, 'POST', '/v1/oidc/finish', { state: 'made-up', browser: 'x', code: 'c' }, 'none')).status);
    assert.deepEqual([...new Set(codes)].filter((code) => code !== 401), [429]);
    assert.equal((await call(program, 'POST', '/v1/oidc/start', {}, 'none')).status, 429);
  });
});
