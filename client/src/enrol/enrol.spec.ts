import { chmodSync, copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { canonicalJson, hex, publicKeyOf } from '@regulon/shared/crypto';
import { initSite, verifyEnrolment } from './init.js';
import { keyPathsOf, loadSiteKeys, readSeedFile } from './key-files.js';
import { signGenesis } from './sign-genesis.js';
import { temporaryFolder } from '../state/temporary-folder.support.js';

const fresh = (): string => join(temporaryFolder('enrol'), 'state');
const refused = (code: string): object => expect.objectContaining({ code });

describe('the enrolment of a site', () => {
  it('makes keys that only their owner can read, and a request signed by the identity key', async () => {
    const folder = fresh();
    const request = await initSite(folder, 'north', 'North Hospital');
    const paths = keyPathsOf(folder);
    expect([folder, paths.folder].map((p) => statSync(p).mode & 0o777)).toEqual([0o700, 0o700]);
    for (const path of [paths.identity, paths.cosigner, paths.tls])
      expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(verifyEnrolment(request)).toBe(true);
    expect(verifyEnrolment({ ...request, org: 'South Hospital' })).toBe(false);
    expect(request.statementKey).toBe(hex(publicKeyOf(readSeedFile(paths.identity))));
    expect(request.csrPem).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----/);
    expect(JSON.stringify(request)).not.toContain(readFileSync(paths.identity, 'utf8').trim());
  });

  it('never overwrites keys', async () => {
    const folder = fresh();
    await initSite(folder, 'north', 'North');
    await expect(initSite(folder, 'north', 'North')).rejects.toThrow(refused('E_KEY_FILE'));
  });

  it('refuses key files that others can read, and one key in two roles', async () => {
    const folder = fresh();
    await initSite(folder, 'north', 'North');
    const paths = keyPathsOf(folder);
    chmodSync(paths.identity, 0o640);
    expect(() => loadSiteKeys(folder)).toThrow(refused('E_KEY_FILE'));
    chmodSync(paths.identity, 0o600);
    expect(loadSiteKeys(folder).identity).toHaveLength(32);
    copyFileSync(paths.identity, paths.cosigner);
    expect(() => loadSiteKeys(folder)).toThrow(/the same key/);
    chmodSync(paths.folder, 0o755);
    expect(() => loadSiteKeys(folder)).toThrow(/open to others/);
  });

  it('does not sign a genesis that is none, or of another roster', async () => {
    const folder = fresh();
    await initSite(folder, 'north', 'North');
    const payload = join(folder, 'draft.json');
    writeFileSync(payload, canonicalJson({ kind: 'round.open', body: {} }));
    expect(() => signGenesis(folder, payload)).toThrow(refused('E_ROSTER'));
    writeFileSync(payload, '{ "kind": "federation.genesis", "body": {} }');
    expect(() => signGenesis(folder, payload)).toThrow(/not canonical/);
  });
});
