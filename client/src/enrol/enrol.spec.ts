import { chmodSync, copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { canonicalJsonBytes, hex, publicKeyOf, sha256, signEd25519, utf8 } from '@regulon/shared/crypto';
import { type Roster, rosterHashOf, rosterSchema, type SignedRoster } from '@regulon/shared/plan';
import { digestText, genesisOf } from '@regulon/shared/transparency';
import { type EnrolmentRequest, initSite, verifyEnrolment } from './init.js';
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
});

describe('the genesis', () => {
  const now = Date.parse('2026-11-21T00:00:00Z');
  const seedOf = (name: string): Uint8Array => sha256(utf8(name));
  const keyOf = (name: string): string => hex(publicKeyOf(seedOf(name)));
  let requests: EnrolmentRequest[];
  let folders: string[];
  let draft: Record<string, unknown> & { body: Record<string, unknown> & { members: { name: string }[] } };
  let payload: string;

  beforeAll(async () => {
    folders = ['north', 'south', 'west'].map((name) => join(temporaryFolder('enrol'), name));
    requests = await Promise.all(
      folders.map((folder, i) => initSite(folder, ['north', 'south', 'west'][i] ?? '', 'H')),
    );
  });
  beforeEach(() => {
    payload = join(temporaryFolder('genesis'), 'genesis.draft.json');
    found({});
  });

  /** Roster and draft as an honest coordinator hands them out, with changes that the administrators signed. */
  function found(changes: Partial<Roster>): void {
    const roster = rosterSchema.parse({
      ...{
        schema: 'regulon.roster/1',
        federationId: 'fed_test',
        version: 1,
        coordinatorKey: keyOf('coordinator'),
      },
      members: requests.map(({ name, org, statementKey, cosignerKey, memberSignature }, i) => ({
        ...{ id: i + 1, name, org, key: statementKey, cosignerKey, selfSignature: memberSignature },
        ...{
          stewardKey: keyOf(`steward ${name}`),
          validFrom: '2026-01-01T00:00:00Z',
          validTo: '2027-01-01T00:00:00Z',
        },
      })),
      admins: [{ id: 1, member: 1, key: keyOf('admin') }],
      ...{ k: 1, policy: { nMin: 3, gamma: { num: 0, den: 1 }, gateMode: 'signed' }, ...changes },
    });
    const signature = hex(signEd25519(seedOf('admin'), rosterHashOf(roster)));
    const signedRoster: SignedRoster = { roster, signatures: [{ admin: 1, signature }] };
    const open = {
      coordinatorHost: 'localhost',
      people: [],
      software: digestText(sha256()),
      at: new Date(now),
    };
    const bytes = genesisOf({ ...open, signedRoster, logPublicKey: publicKeyOf(seedOf('log')) }).payload;
    draft = JSON.parse(Buffer.from(bytes).toString()) as typeof draft;
    writeFileSync(payload, bytes);
    writeFileSync(join(payload, '..', 'roster.json'), JSON.stringify(signedRoster));
  }
  const sign = (folder = folders[0] ?? '', at = now) => signGenesis(folder, payload, undefined, at);

  it('that the roster implies is signed by every site', () => {
    expect(folders.map((folder) => sign(folder).key.split('+')[0])).toEqual(
      ['north', 'south', 'west'].map((name) => `localhost/fed/fed_test/site/${name}`),
    );
  });

  it('that lists every member once more, under other keys, is signed by nobody', () => {
    const { members } = draft.body;
    const again = members.map((member) => ({ ...member, steward: 'x+00000000+AAAA' }));
    writeFileSync(
      payload,
      canonicalJsonBytes({ ...draft, body: { ...draft.body, members: [...members, ...again] } }),
    );
    for (const folder of folders)
      expect(() => sign(folder)).toThrow(/body\.members is not what the roster implies/);
  });

  it('with another rule, of another kind or in another form is not signed', () => {
    for (const change of [{ gateLag: 0 }, { gamma: { num: 1, den: 3 } }, { quorum: 1 }]) {
      writeFileSync(payload, canonicalJsonBytes({ ...draft, body: { ...draft.body, ...change } }));
      expect(() => sign()).toThrow(refused('E_ROSTER'));
    }
    for (const text of ['{ "kind": "federation.genesis", "body": {} }', '{"body":{},"kind":"round.open"}']) {
      writeFileSync(payload, text);
      expect(() => sign()).toThrow(/no genesis in canonical JSON/);
    }
  });

  it('is not signed for a roster that lists other keys, is not self-signed or not in force', async () => {
    const stranger = fresh();
    await initSite(stranger, 'east', 'H');
    expect(() => sign(stranger)).toThrow(/does not list the keys of this site/);
    expect(() => sign(folders[0], Date.parse('2027-06-01T00:00:00Z'))).toThrow(/membership of north ended/);
    requests = requests.map((r, i) => (i === 1 ? { ...r, memberSignature: 'ab'.repeat(64) } : r));
    found({});
    expect(() => sign()).toThrow(/member south is not signed by its own identity key/);
  });
});
