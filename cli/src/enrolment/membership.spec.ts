import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadFederation } from '@regulon/client/policy';
import { keyPathsOf, readSeedFile } from '@regulon/client/enrol';
import { hex, signEd25519 } from '@regulon/shared/crypto';
import { rosterHashOf, rosterSigningBytes, type SignedRoster } from '@regulon/shared/plan';
import { changeLines } from './change-lines.js';
import type { FederationFile } from './federation-file.js';
import { admit } from './founder.js';
import { certify } from './founding.js';
import { installUpdate, unreadRoster } from './install-site.js';
import { proposeJoin, proposeRevoke, putInForce } from './membership.js';
import { keyFileOf } from './person.js';
import { writePrivate } from './public-files.js';
import { digestOfRoster, isRosterSigned, type RosterChange, signRosterChange } from './roster-change.js';
import { rosterChainOf } from './roster-chain.js';
import { Walk } from './walk.support.js';

const coded = (code: string, message: RegExp): object =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as unknown });

let root: string;
let walk: Walk;
/** what was sent at the founding, after west joined, and after south was revoked */
const files: FederationFile[] = [];
let joining: RosterChange;
let leaving: RosterChange;

const seedOf = (site: string): Uint8Array =>
  readSeedFile(keyFileOf(walk.site(site).people, 'administrator', site));
/** Administrators sign, the founder collects, every member is sent the result. */
async function inForce(change: RosterChange, ...signers: readonly string[]): Promise<FederationFile> {
  const signed = signers.map((site) => walk.sign(site, change));
  putInForce(walk.founder, walk.collect(signed));
  return certify(walk.founder);
}
const update = (site: string, file: FederationFile): number =>
  installUpdate(walk.site(site), file, walk.now.getTime());

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'regulon-membership-'));
  walk = new Walk(root);
  files.push(await walk.found());
  for (const site of ['east', 'north', 'south']) walk.install(site, files[0]!);
  admit(walk.founder, await walk.join('west'), walk.now);
  joining = proposeJoin(walk.founder, undefined, { now: walk.now });
  files.push(await inForce(joining, 'east', 'south'));
  for (const site of ['east', 'north', 'south']) update(site, files[1]!);
  walk.install('west', files[1]!);
  leaving = proposeRevoke(walk.founder, 'south', 'compromised', { now: walk.now });
  files.push(await inForce(leaving, 'east', 'north', 'west'));
}, 120_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('a federation that stands', () => {
  it('takes a fourth site under the signatures of two administrators, and shows them what changes', () => {
    const lines = changeLines(joining, 'north').join('\n');
    expect(lines).toMatch(/roster version 2, after version 1/);
    expect(lines).toMatch(/\+ 4 west \(Hospital west\)/);
    expect(lines).toMatch(/\+ 4 of west/);
    expect(lines).toMatch(/reason: joined/);
    // more than half of them, as at the founding
    expect(lines.match(/.*CHANGED.*/g)).toEqual([
      'administrators: 3 of 4 must sign a roster (CHANGED, was 2)',
    ]);
    expect(rosterChainOf(walk.founder).rosters.map(({ members }) => members.map(({ name }) => name))).toEqual(
      [
        ['east', 'north', 'south'],
        ['east', 'north', 'south', 'west'],
        ['east', 'north', 'west'],
      ],
    );
  });

  it('is loaded by its daemons in the version that they pinned, with the keys of each roster', () => {
    const loaded = (site: string) => {
      const { config, state, federation } = walk.site(site);
      const [, pinned = ''] = /^rosterHash: (.*)$/m.exec(readFileSync(config, 'utf8')) ?? [];
      return loadFederation(federation, site, pinned, readSeedFile(keyPathsOf(state).identity));
    };
    expect(loaded('west').versions.map(({ members }) => members.length)).toEqual([3, 4]);
    expect(update('east', files[2]!)).toBe(3);
    expect(loaded('east').versions.map(({ genesis }) => genesis.quorum)).toEqual([2, 3, 2]);
    expect(loaded('east').roster.follows?.reason).toBe('compromised');
  });

  it('begins with the roster that its founders signed, and shows every site the version that it has', () => {
    const { founder } = walk;
    const record = walk.site('north').record();
    const other = { ...record, founding: '00'.repeat(32) };
    writePrivate(walk.site('north').recordFile, other);
    expect(() => update('north', files[2]!)).toThrow(
      coded('E_ROSTER', /another roster than this site signed/),
    );
    writePrivate(walk.site('north').recordFile, record);
    const later = { ...files[0]!.roster, roster: { ...files[0]!.roster.roster, version: 2 } };
    expect(() => update('north', { ...files[0]!, roster: later })).toThrow(
      coded('E_ROSTER', /founded with version 1/),
    );
    expect(rosterChainOf(founder).founding.roster.version).toBe(1);
  });

  it('is read by who joins it later, and by nobody twice', () => {
    const { recordFile } = walk.site('west');
    const record = walk.site('west').record();
    expect(unreadRoster(walk.site('west'), files[2]!)).toBeUndefined();
    writePrivate(recordFile, { ...record, pinned: null });
    const { lines = [], digest } = unreadRoster(walk.site('west'), files[1]!) ?? {};
    expect(digest).toBe(digestOfRoster(files[1]!.changes[0]!.roster));
    expect(lines.join('\n')).toMatch(/west \(Hospital west\), this site[^]*digest {2}sha256:/);
    writePrivate(recordFile, record);
  });

  it('goes no step back: an older file, or a fork of the version that is installed, is refused', () => {
    expect(update('west', files[2]!)).toBe(3);
    expect(() => update('west', files[1]!)).toThrow(coded('E_ROSTER', /version 2 is older than version 3/));
    expect(() => update('west', files[0]!)).toThrow(coded('E_ROSTER', /does not list west/));
    walk.pin('west', 2);
    expect(() => update('west', files[2]!)).toThrow(
      coded('E_ROSTER', /version 2 is another roster than version 2/),
    );
  });

  it('has no place for a site that was revoked', () => {
    expect(() => update('south', files[2]!)).toThrow(coded('E_ROSTER', /does not list south/));
    expect(files[2]!.certificates).not.toHaveProperty('south');
    expect(() => proposeRevoke(walk.founder, 'south', 'left', { now: walk.now })).toThrow(
      coded('E_ARGUMENT', /south is no member/),
    );
    for (const [name, word] of [
      ['south', 'was'],
      ['east', 'is'],
    ] as const)
      expect(() => walk.invite(name)).toThrow(
        coded(
          'E_ARGUMENT',
          new RegExp(`${name} ${word} a member of this federation; its name is not given again`),
        ),
      );
    expect(() => proposeJoin(walk.founder, 'south', { now: walk.now })).toThrow(
      coded('E_ARGUMENT', /one site joins at a time; waiting: none/),
    );
  });

  it('keeps three members: who wants to leave then is told that another site must join first', () => {
    const refused = expect.objectContaining({
      ...{
        code: 'E_ARGUMENT',
        message: expect.stringMatching(/west cannot leave.*3 members at least/) as unknown,
      },
      hint: expect.stringMatching(/join first.*stop the coordinator/) as unknown,
    });
    expect(() => proposeRevoke(walk.founder, 'west', 'compromised', { now: walk.now })).toThrow(refused);
    expect(existsSync(walk.founder.changeFile)).toBe(false);
  });

  describe('refuses a forged roster', () => {
    const forged = (change: (third: SignedRoster) => SignedRoster) => (): void => {
      const [second, third] = files[2]!.changes as [SignedRoster, SignedRoster];
      update('north', { ...files[2]!, changes: [second, change(third)] });
    };
    const by = (signed: SignedRoster, signers: [number, string][]): SignedRoster => ({
      ...signed,
      signatures: signers.map(([admin, site]) => ({
        admin,
        signature: hex(signEd25519(seedOf(site), rosterSigningBytes(signed.roster))),
      })),
    });

    it.each<[string, (third: SignedRoster) => SignedRoster, RegExp]>([
      ['that too few signed', (third) => by(third, [[1, 'east']]), /version 3: 1 of 3 administrators signed/],
      [
        'that skips a version',
        (third) => ({ ...third, roster: { ...third.roster, version: 4 } }),
        /version 4: the version in force is 2/,
      ],
      [
        'that follows another one',
        ({ roster, signatures }) => {
          const rosterHash = hex(rosterHashOf(files[0]!.roster.roster));
          return { signatures, roster: { ...roster, follows: { rosterHash, reason: 'left' } } };
        },
        /version 3: it follows another roster/,
      ],
    ])('%s', (_, change, message) => {
      expect(forged(change)).toThrow(coded('E_ROSTER', message));
    });

    it('that an administrator signed who was removed before', () => {
      const open = { ...files[2]!.changes[1]!.roster };
      const next = {
        ...open,
        version: 4,
        members: open.members.slice(0, 3),
        k: 1,
        follows: { rosterHash: hex(rosterHashOf(open)), reason: 'routine' as const },
      };
      const signed = by({ roster: next, signatures: [] }, [
        [3, 'south'],
        [1, 'east'],
      ]);
      const { changes } = files[2]!;
      expect(() => update('north', { ...files[2]!, changes: [...changes, signed] })).toThrow(
        coded('E_ROSTER', /version 4: (it changes more than one member|signature of administrator 3)/),
      );
    });
  });

  it('lets a site leave under the signature of its own administrator alone', () => {
    const signedBy = (site: string): boolean => isRosterSigned(signRosterChange(leaving, seedOf(site)));
    expect([signedBy('south'), signedBy('east')]).toEqual([true, false]);
  });
});
