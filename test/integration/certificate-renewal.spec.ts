import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type SecureVersion } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { isRenewalDue, renewCertificate, type RenewedSite } from '@regulon/client/certificates';
import { createCertificateRequest, writeKeyFile } from '@regulon/client/enrol';
import { CoordinatorConnection } from '@regulon/client/transport';
import {
  Authority,
  type Credential,
  OwnCertificateWatch,
  SiteCertificates,
} from '@regulon/coordinator/authority';
import { fromHex, publicKeyOf, utf8 } from '@regulon/shared/crypto';
import { signRenewal } from '@regulon/shared/plan';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { FakeCoordinator, ROSTER_HASH, STATEMENT_SEED } from '../support/transport/fake-coordinator.js';
import { lastingPorts } from '../support/transport/lasting-ports.js';

const { roster } = new SampleFederation();
const { federationId } = roster;
const members = roster.members.map(({ id, key }) => ({ id, key: fromHex(key) }));
const refused = (code: string): object => expect.objectContaining({ code });
const DAY_SECONDS = 86_400;
/** How long the first certificate still holds. */
const SHORT_SECONDS = 12;

let folder: string;
let coordinator: FakeCoordinator;
let authority: Authority;
let server: Credential;
let renewed: RenewedSite;
let link: CoordinatorConnection;
let ends: number;

/** An authority with the same key, whose certificates hold for so many days. */
const lasting = async (days: number): Promise<Authority> =>
  Authority.load(authority.certificate, await authority.privateKey(), days);
const pem = (path: string): string => readFileSync(path, 'utf8');
const connection = (): CoordinatorConnection =>
  new CoordinatorConnection({
    ...{ host: '127.0.0.1', controlPort: coordinator.ports.control, bulkPort: coordinator.ports.bulk },
    tls: { ca: authority.certificate, cert: pem(renewed.tls.cert), key: pem(renewed.tls.key) },
    ...{ site: 1, coordinatorKey: publicKeyOf(STATEMENT_SEED), rosterHash: ROSTER_HASH },
    daemonVersion: 'test',
  });

/** What the coordinator issues. */
async function issues(days: number): Promise<void> {
  coordinator.gateway.certificates = new SiteCertificates(await lasting(days), roster, Date.now);
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'regulon-renewal-'));
  const at = (name: string): string => join(folder, name);
  authority = await Authority.create(federationId);
  server = await authority.issueServer({ dns: ['localhost'], ip: ['127.0.0.1'] });
  const tls = { ca: authority.certificate, cert: server.certificate, key: server.privateKey };
  coordinator = await new FakeCoordinator(tls, folder, 0, undefined, { members }).start(await lastingPorts());
  const identity = SampleFederation.seed('site', 'site-1');
  const paths = { ca: at('ca.pem'), cert: at('tls.cert.pem'), key: at('tls.key.pem') };
  renewed = { tls: paths, site: 'site-1', federationId, identity };
  const { keyPem, csrPem } = await createCertificateRequest('site-1');
  writeKeyFile(paths.key, keyPem);
  writeFileSync(paths.ca, authority.certificate);
  const short = await lasting(SHORT_SECONDS / DAY_SECONDS);
  const identityKey = roster.members[0]?.key ?? '';
  writeFileSync(paths.cert, await short.issueSite(csrPem, { id: 1, name: 'site-1', identityKey }));
  ends = Date.now() + 1000 * SHORT_SECONDS;
  link = connection();
});
afterEach(async () => {
  await link.close();
  await coordinator.stop();
  await rm(folder, { recursive: true });
});

describe('a certificate that ends soon', () => {
  it('is replaced over the connection, which goes on with the new one when the old one has ended', async () => {
    await issues(1);
    expect(isRenewalDue(renewed, Date.now())).toBe(true);
    await link.connect();
    const forgetful = connection();
    await forgetful.connect();
    const key = pem(renewed.tls.key);
    const certificate = await renewCertificate(renewed, link, Date.now());
    link.useCertificate(certificate);
    expect([pem(renewed.tls.cert), pem(renewed.tls.key)]).toEqual([certificate, key]);
    expect(isRenewalDue(renewed, Date.now())).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, ends + 1_100 - Date.now())));
    await coordinator.restart();
    expect(await link.connect()).toMatchObject({ checkpointNote: 'site 1' });
    await expect(forgetful.connect()).rejects.toThrow(refused('E_CERTIFICATE'));
    await forgetful.close();
  });

  it('stays when the answer is of another authority, for another site or key, or holds no longer', async () => {
    const before = pem(renewed.tls.cert);
    const { csrPem } = await createCertificateRequest('site-1', pem(renewed.tls.key));
    const foreign = await createCertificateRequest('site-1');
    const me = { id: 1, name: 'site-1', identityKey: roster.members[0]?.key ?? '' };
    const other = await Authority.create(federationId);
    const answers: [RegExp, string][] = [
      [/cannot be read/, 'no certificate'],
      [/not of the authority/, await other.issueSite(csrPem, me)],
      [/for another key/, await authority.issueSite(foreign.csrPem, me)],
      [/names another site/, await authority.issueSite(csrPem, { ...me, id: 2 })],
      [/does not hold longer/, before],
    ];
    for (const [why, certificate] of answers) {
      coordinator.gateway.certificates = { renew: () => Promise.resolve(certificate) };
      await expect(renewCertificate(renewed, link, Date.now())).rejects.toThrow(why);
    }
    coordinator.gateway.certificates = new SiteCertificates(undefined, roster, Date.now);
    await expect(renewCertificate(renewed, link, Date.now())).rejects.toThrow(refused('E_NOT_FOUND'));
    expect(pem(renewed.tls.cert)).toBe(before);
  });

  it('is issued to nobody but the member that asks, with its identity key, now', async () => {
    const { csrPem } = await createCertificateRequest('site-1');
    const certificates = new SiteCertificates(await lasting(1), roster, Date.now);
    const at = new Date().toISOString();
    const own = { federationId, site: 'site-1', csrPem, at };
    const ask = (given: object, site = 1): Promise<string> =>
      certificates.renew(site, utf8(JSON.stringify(given)));
    await expect(ask(signRenewal(own, renewed.identity))).resolves.toContain('CERTIFICATE');
    await expect(ask(signRenewal(own, renewed.identity), 2)).rejects.toThrow(/site 2 sends the renewal/);
    await expect(ask(signRenewal({ ...own, site: 'site-2' }, renewed.identity), 2)).rejects.toThrow(
      refused('E_ROSTER'),
    );
    await expect(ask(signRenewal({ ...own, site: 'nobody' }, renewed.identity))).rejects.toThrow(/no member/);
    const old = { ...own, at: new Date(Date.now() - 3_600_000).toISOString() };
    await expect(ask(signRenewal(old, renewed.identity))).rejects.toThrow(refused('E_CLOCK'));
    await expect(ask({})).rejects.toThrow(refused('E_ROSTER'));
    await expect(certificates.renew(1, utf8('{'))).rejects.toThrow(refused('E_ROSTER'));
    const garbage = { ...own, csrPem: 'garbage' };
    await expect(ask(signRenewal(garbage, renewed.identity))).rejects.toThrow(refused('E_CERTIFICATE'));
  });
});

/** Serial number of the certificate that a port shows to this site. */
async function shownBy(port: number, maxVersion: SecureVersion = 'TLSv1.3'): Promise<string> {
  const own = { cert: pem(renewed.tls.cert), key: pem(renewed.tls.key) };
  const options = { host: '127.0.0.1', port, ca: authority.certificate, ...own, maxVersion };
  const socket = connect({ ...options, ALPNProtocols: ['h2'] });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().serialNumber;
  } finally {
    socket.destroy();
  }
}

describe('the certificate of a coordinator that goes on for long', () => {
  it('is renewed once a day: new connections see it, open ones go on, TLS stays 1.3, a failure is told', async () => {
    const told: unknown[] = [];
    const write = (line: string): void => void told.push(JSON.parse(line));
    const logger = pino({ base: null }, { write });
    const own = { cert: server.certificate, key: server.privateKey, file: join(folder, 'own.pem') };
    const use = async (cert: string): Promise<void> => {
      coordinator.control.useCertificate(cert);
      await coordinator.bulk.useCertificate(cert);
    };
    let now = Date.now();
    const watch = new OwnCertificateWatch({ authority, own, use, logger }, () => now);
    const { control, bulk } = coordinator.ports;
    await link.connect();
    await watch.look();
    const before = await shownBy(control);
    expect([told, await shownBy(bulk)]).toEqual([[], before]);
    now += 1000 * DAY_SECONDS;
    await watch.look();
    const after = await shownBy(control);
    expect(after).not.toBe(before);
    expect(await shownBy(bulk)).toBe(after);
    expect(pem(own.file)).toContain('CERTIFICATE');
    await expect(shownBy(control, 'TLSv1.2')).rejects.toThrow(/protocol version/);
    expect(await link.exchange({ type: 'uploadStatus', uploadId: new Uint8Array(16) })).toBeDefined();
    const failing = { authority, own: { ...own, file: join(folder, 'other.pem') }, use, logger };
    await new OwnCertificateWatch(
      { ...failing, use: () => Promise.reject(new Error('no')) },
      () => now,
    ).look();
    expect(told).toMatchObject([
      { level: 30, msg: expect.stringMatching(/was renewed/) },
      { level: 50, msg: expect.stringMatching(/was not renewed/) },
    ]);
    expect(await shownBy(control)).toBe(after);
  });
});
