import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { keyPathsOf } from '@regulon/client/enrol';
import type { Renewal } from '@regulon/shared/plan';
import type { FederationFile } from './federation-file.js';
import { certify } from './founding.js';
import { installUpdate } from './install-site.js';
import { renewSite, takeRenewal } from './renewal.js';
import { rosterInForce } from './roster-chain.js';
import { DAY_MS, NAMES, Walk } from './walk.support.js';

const coded = (code: string, message: RegExp): object =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as unknown });

let root: string;
let walk: Walk;
let renewal: Renewal;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'regulon-renewal-'));
  walk = new Walk(root);
  await walk.propose();
  await expect(renewSite(walk.site('north'), walk.now)).rejects.toThrow(
    coded('E_ARGUMENT', /installed no federation/),
  );
  expect(() => rosterInForce(walk.founder)).toThrow(coded('E_ARGUMENT', /does not stand yet/));
  const file = await walk.foundFrom();
  NAMES.forEach((name) => walk.install(name, file));
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(async () => {
  renewal = await renewSite(walk.site('north'), new Date());
});

const take = (change: Partial<Renewal> = {}, days = 0): void =>
  takeRenewal(
    walk.founder,
    { ...renewal, ...change },
    rosterInForce(walk.founder).roster,
    Date.now() + days * DAY_MS,
  );
const tlsFile = (): string => keyPathsOf(walk.site('north').state).tls;
const install = (file: FederationFile, days = 0): number =>
  installUpdate(walk.site('north'), file, Date.now() + days * DAY_MS);

describe('a certificate', () => {
  it('is renewed for the same key when no site asks for another', async () => {
    const key = readFileSync(tlsFile(), 'utf8');
    const before = readFileSync(walk.site('north').certificate, 'utf8');
    install(await certify(walk.founder));
    expect(readFileSync(walk.site('north').certificate, 'utf8')).not.toBe(before);
    expect(readFileSync(tlsFile(), 'utf8')).toBe(key);
  });

  it('comes for a new key; the old one serves until it is installed', async () => {
    const key = readFileSync(tlsFile(), 'utf8');
    take();
    const file = await certify(walk.founder);
    expect(readFileSync(tlsFile(), 'utf8')).toBe(key);
    install(file);
    expect(readFileSync(tlsFile(), 'utf8')).not.toBe(key);
    expect(statSync(tlsFile()).mode & 0o777).toBe(0o600);
    const certificate = new X509Certificate(readFileSync(walk.site('north').certificate));
    expect(certificate.validTo).toBe(new X509Certificate(file.certificates['north'] ?? '').validTo);
    install(file);
    expect(() => install(file, 31)).toThrow(coded('E_CERTIFICATE', /ended at/));
  });

  it('is not for a key that the site gave up meanwhile', async () => {
    take();
    const file = await certify(walk.founder);
    await renewSite(walk.site('north'), new Date());
    expect(() => install(file)).toThrow(coded('E_CERTIFICATE', /not for the TLS key/));
  });

  it('brings no other roster with it', async () => {
    take();
    const file = await certify(walk.founder);
    walk.pin('north', 1);
    expect(() => install(file)).toThrow(coded('E_ROSTER', /another roster than version 1/));
    walk.pin('north', 2);
    expect(() => install(file)).toThrow(coded('E_ROSTER', /version 1 is older than version 2/));
  });
});

describe('a renewal', () => {
  it('that was changed, is of nobody, old or from tomorrow is refused', () => {
    const south = walk.request('south');
    expect(() => take({ csrPem: south.enrolment.csrPem })).toThrow(coded('E_ROSTER', /did not sign it/));
    expect(() => take({ site: 'south' })).toThrow(coded('E_ROSTER', /did not sign it/));
    expect(() => take({ site: 'west' })).toThrow(coded('E_ROSTER', /no member of fed_walk/));
    expect(() => take({ federationId: 'fed_other' })).toThrow(coded('E_ROSTER', /no member/));
    expect(() => take({}, -1)).toThrow(expect.objectContaining({ code: 'E_CLOCK' }));
    expect(() => take({}, 31)).toThrow(expect.objectContaining({ code: 'E_CLOCK' }));
  });

  it('is taken in order: one from before is not taken again', async () => {
    const later = await renewSite(walk.site('north'), new Date(Date.now() + 1000));
    take(later);
    expect(() => take()).toThrow(coded('E_ROSTER', /a newer one, from .*, was taken/));
  });
});
