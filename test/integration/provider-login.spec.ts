import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { InlineAggregator } from '@regulon/coordinator/aggregation';
import { IdentityProvider } from '@regulon/coordinator/auth';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { idTokenOf } from '../../cli/src/commands/provider-login.js';
import { runAs } from '../../cli/src/commands/run-program.support.js';
import { RestApi } from '../support/coordinator/rest-api.js';
import { SimulatedFederation } from '../support/coordinator/simulated-federation.js';
import { browse, CLIENT, TestIdentityProvider } from '../support/identity-provider.js';

const refused = (code: string): object => expect.objectContaining({ code });

describe('people who log in at an OpenID provider', () => {
  const folder = mkdtempSync(join(tmpdir(), 'regulon-provider-'));
  const defects: unknown[] = [];
  let provider: TestIdentityProvider;
  let federation: SimulatedFederation;
  let api: RestApi;

  beforeAll(async () => {
    // the provider says at length that it is not for production
    for (const level of ['warn', 'info'] as const) jest.spyOn(console, level).mockReturnValue();
    provider = await TestIdentityProvider.start();
    const environment = { aggregator: new InlineAggregator(), fatal: (e: unknown) => void defects.push(e) };
    const oidc = { issuer: provider.issuer, clientId: CLIENT, secondFactor: 'mfa' };
    federation = new SimulatedFederation(join(folder, 'coordinator'), 5, { oidc }, environment);
    await federation.open();
    api = await RestApi.start(federation, defects);
    const { accounts } = federation.core;
    const subjectOf = (sub: string): string => `${provider.issuer} ${sub}`;
    accounts.addOfProvider('ada', 'researcher', subjectOf('subject-of-ada'));
    accounts.addOfProvider('grace', 'steward', subjectOf('subject-of-grace'));
  });
  afterAll(async () => {
    provider.close();
    jest.restoreAllMocks();
    await api.close();
    await federation.close();
    expect(defects).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  /** The command line asks a person to open an address: the browser of this spec does. */
  async function login(): Promise<{ code: number; out: string; err: string }> {
    const env = { REGULON_SERVER: `http://127.0.0.1:${api.port}`, HOME: join(folder, 'home') };
    const opened = (text: string): void => {
      const url = /^http:\S+$/m.exec(text)?.[0];
      if (url !== undefined) void browse(url);
    };
    return runAs({ env, sees: opened }, 'login', '--provider');
  }

  it('get a session with the role of their account', async () => {
    provider.next = { subject: 'subject-of-ada', amr: [] };
    expect(await login()).toMatchObject({ code: 0, out: expect.stringMatching(/"role":"researcher"/) });
  });

  it('need an account', async () => {
    provider.next = { subject: 'somebody', amr: ['mfa'] };
    expect(await login()).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^E_AUTH: .*has no account here/m),
    });
  });

  it('need a second factor that the provider has seen, as stewards and operators', async () => {
    provider.next = { subject: 'subject-of-grace', amr: ['pwd'] };
    expect(await login()).toMatchObject({ code: 2, err: expect.stringMatching(/E_ROLE: a steward proves/) });
    provider.next = { subject: 'subject-of-grace', amr: ['pwd', 'mfa'] };
    expect(await login()).toMatchObject({ code: 0, out: expect.stringMatching(/"role":"steward"/) });
  });

  it('cannot use an ID token twice', async () => {
    provider.next = { subject: 'subject-of-ada', amr: [] };
    const { provider: checker } = federation.core;
    if (!checker) throw new TypeError('no provider');
    const token = await idTokenOf(checker.challenge(), (url) => void browse(url));
    await expect(checker.identityOf(token)).resolves.toMatchObject({
      subject: `${provider.issuer} subject-of-ada`,
    });
    await expect(checker.identityOf(token)).rejects.toThrow(refused('E_AUTH'));
  });

  it('have no password here', async () => {
    await expect(federation.core.accounts.login({ name: 'ada', password: '' })).rejects.toThrow(
      refused('E_AUTH'),
    );
    expect(() => federation.core.accounts.reset('ada')).toThrow(refused('E_ARGUMENT'));
    expect(() =>
      federation.core.accounts.addOfProvider('eve', 'operator', `${provider.issuer} subject-of-ada`),
    ).toThrow(refused('E_ARGUMENT'));
  });
});

describe('an ID token', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');
  const seconds = now / 1000;
  let issuer: string;
  let keys: Awaited<ReturnType<typeof generateKeyPair>>;
  const server = createServer();
  beforeAll(async () => {
    keys = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k', alg: 'ES256' };
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', ({ url }, response) =>
      response.end(
        JSON.stringify(url === '/keys' ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/keys` }),
      ),
    );
  });
  afterAll(() => void server.close());

  const token = (
    claims: object,
    alg = 'ES256',
    key: Parameters<SignJWT['sign']>[0] = keys.privateKey,
  ): Promise<string> =>
    new SignJWT({ ...{ iss: issuer, aud: CLIENT, sub: 's', iat: seconds, exp: seconds + 60 }, ...claims })
      .setProtectedHeader({ alg, kid: 'k' })
      .sign(key);
  const checker = (): IdentityProvider => new IdentityProvider({ issuer, clientId: CLIENT }, () => now);

  it('is taken when the provider signed it for this federation, now and with its nonce', async () => {
    const at = checker();
    const { nonce } = at.challenge();
    await expect(at.identityOf(await token({ nonce }))).resolves.toEqual({
      subject: `${issuer} s`,
      hasSecondFactor: false,
    });
  });

  it.each([
    ['of another issuer', { iss: 'http://127.0.0.1:1' }],
    ['for another client', { aud: 'other' }],
    ['for several clients', { aud: [CLIENT, 'other'] }],
    ['that another client asked for', { azp: 'other' }],
    ['that has ended', { exp: seconds - 61 }],
    ['that is old', { iat: seconds - 400, exp: seconds + 600 }],
    ['from the future', { iat: seconds + 120 }],
    ['without a subject', { sub: undefined }],
    ['with another nonce', { nonce: 'x'.repeat(43) }],
    ['without a nonce', { nonce: undefined }],
  ])('%s is refused', async (_, claims) => {
    const at = checker();
    const { nonce } = at.challenge();
    await expect(at.identityOf(await token({ nonce, ...claims }))).rejects.toThrow(refused('E_AUTH'));
  });

  it('that somebody else signed, or nobody, or a shared secret, is refused', async () => {
    const at = checker();
    const { nonce } = at.challenge();
    const other = await generateKeyPair('ES256');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await token({ nonce })).split('.')[1]}.`;
    const bad = [
      await token({ nonce }, 'ES256', other.privateKey),
      await token({ nonce }, 'HS256', new Uint8Array(32)),
      none,
    ];
    for (const one of [...bad, 'rubbish', ''])
      await expect(at.identityOf(one)).rejects.toThrow(refused('E_AUTH'));
    await expect(at.identityOf(await token({ nonce }))).resolves.toMatchObject({ subject: `${issuer} s` });
  });

  it('of another process, or asked for ten minutes ago, is refused; others that were asked for stay', async () => {
    const at = checker();
    const { nonce } = at.challenge();
    for (let i = 0; i < 2000; i++) at.challenge();
    await expect(checker().identityOf(await token({ nonce }))).rejects.toThrow(refused('E_AUTH'));
    let late = now;
    const clock = new IdentityProvider({ issuer, clientId: CLIENT }, () => late);
    const old = clock.challenge().nonce;
    late += 10 * 60_000;
    const fresh = { iat: late / 1000, exp: late / 1000 + 60 };
    await expect(clock.identityOf(await token({ nonce: old, ...fresh }))).rejects.toThrow(/too long ago/);
    await expect(at.identityOf(await token({ nonce }))).resolves.toMatchObject({ hasSecondFactor: false });
  });

  it('cannot be checked while the provider does not answer', async () => {
    const gone = new IdentityProvider({ issuer: 'http://127.0.0.1:1', clientId: CLIENT }, () => now);
    await expect(gone.identityOf(await token({ nonce: '' }))).rejects.toThrow(refused('E_CONNECTION'));
  });
});
