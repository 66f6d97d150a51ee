import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readDaemonConfig } from '@regulon/client/config';
import { loadFederation } from '@regulon/client/policy';
import { createCertificateRequest, readSeedFile } from '@regulon/client/enrol';
import { hex, publicKeyOf, randomBytes } from '@regulon/shared/crypto';
import { rosterHashOf } from '@regulon/shared/plan';
import { Authority } from '@regulon/coordinator/authority';
import { loadAuthority } from './certificates.js';
import { admit } from './founder.js';
import { proposeFounding } from './founding.js';
import { changeLines } from './change-lines.js';
import type { FederationFile } from './federation-file.js';
import { digestOfRoster, mergeSignatures, type RosterChange } from './roster-change.js';
import { writePrivate } from './public-files.js';
import { dueSignature } from './sign-change.js';
import { DAY_MS, NAMES, Walk } from './walk.support.js';

const coded = (code: string, message: RegExp): object =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as unknown });
const newKey = (): string => hex(publicKeyOf(randomBytes(32)));

let root: string;
let walk: Walk;
let proposed: RosterChange;
let signed: RosterChange;
let file: FederationFile;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'regulon-roster-'));
  walk = new Walk(root);
  file = await walk.found();
  signed = JSON.parse(readFileSync(walk.founder.changeFile, 'utf8')) as RosterChange;
  proposed = { ...signed, signatures: [], genesis: null };
});
afterAll(() => rmSync(root, { recursive: true }));

type Member = RosterChange['roster']['members'][number];
const withNorth = (change: Partial<Member>): RosterChange => {
  const members = proposed.roster.members.map((m) => (m.name === 'north' ? { ...m, ...change } : m));
  return { ...proposed, roster: { ...proposed.roster, members } };
};
const due = (change: RosterChange, now = walk.now.getTime()) =>
  dueSignature(walk.site('north'), change, undefined, now);

describe('a change of the roster at a site', () => {
  it('is shown from the bytes that are signed', () => {
    const { lines, digest } = due(proposed);
    const text = lines.join('\n');
    expect(digest).toBe(`sha256:${hex(rosterHashOf(proposed.roster))}`);
    expect(lines.at(-1)).toBe(`digest  ${digest}`);
    for (const { name, org } of proposed.roster.members) expect(text).toContain(`${name} (${org})`);
    expect(text).toContain('north (Hospital north), this site');
    expect(text).toContain('administrators: 2 of 3 must sign a roster');
  });

  it('shows no character of others that steers a terminal', () => {
    const change = withNorth({ org: 'Hospital\u001b[2K\u202e\u0007' });
    expect(changeLines(change, 'east').join('\n')).toContain('Hospital\u{fffd}[2K\u{fffd}\u{fffd}');
  });

  it('marks what differs from the roster in force', () => {
    const before = { roster: proposed.roster, signatures: [] };
    const after = withNorth({ stewardKey: newKey() });
    const lines = changeLines({ ...after, previous: before }, 'east');
    expect(lines.filter((line) => line.includes('CHANGED'))).toEqual([expect.stringMatching(/^ +steward /)]);
    expect(lines.filter((line) => line.startsWith('~'))).toHaveLength(1);
  });

  it.each([
    ['identity', { key: newKey() }],
    ['cosigner', { cosignerKey: newKey() }],
    ['steward', { stewardKey: newKey() }],
  ])('with another %s key than the site made is not signed', (role, change) => {
    expect(() => due(withNorth(change))).toThrow(
      coded('E_ROSTER', new RegExp(`the ${role} key of north is not the one that this site made`)),
    );
  });

  it('of another federation, another coordinator, or without this site is not signed', () => {
    const other = (change: Partial<RosterChange['roster']>): RosterChange => ({
      ...proposed,
      roster: { ...proposed.roster, ...change },
    });
    expect(() => due(other({ federationId: 'fed_other' }))).toThrow(
      coded('E_ROSTER', /was invited to fed_walk/),
    );
    expect(() => due(other({ coordinatorKey: newKey() }))).toThrow(
      coded('E_ROSTER', /another one than invited/),
    );
    const members = proposed.roster.members.filter(({ name }) => name !== 'north');
    expect(() => due(other({ members }))).toThrow(coded('E_ROSTER', /does not list north/));
  });

  it('is not signed by a clock that is a day behind, or after its end', () => {
    const at = (days: number) => (): unknown => due(proposed, walk.now.getTime() + days * DAY_MS);
    expect(at(-1)).toThrow(coded('E_ROSTER', /is not in force: the membership of east begins at/));
    expect(at(400)).toThrow(coded('E_ROSTER', /the membership of east ended at/));
  });

  it('that brings a roster before it, which this site never had, is not signed', () => {
    const previous = { roster: proposed.roster, signatures: [] };
    expect(() => due({ ...proposed, previous })).toThrow(coded('E_ROSTER', /follow another roster/));
  });

  it('is signed by an administrator only', () => {
    const steward = join(walk.site('north').people, 'steward-north.key');
    const asked = dueSignature(walk.site('north'), proposed, steward, walk.now.getTime());
    expect(() => asked.sign()).toThrow(coded('E_ROSTER', /not one of an administrator/));
  });

  it('brings the first entry of the log only behind enough signatures', () => {
    const early = { ...signed, signatures: signed.signatures.slice(1) };
    expect(() => due(early)).toThrow(coded('E_ROSTER', /before its roster is signed/));
    const twice = { ...signed, signatures: [signed.signatures[0]!, signed.signatures[0]!] };
    expect(() => due(twice)).toThrow(coded('E_ROSTER', /before its roster is signed/));
    const [first, second] = signed.signatures;
    const forged = { ...signed, signatures: [first!, { ...second!, signature: first!.signature }] };
    expect(() => due(forged)).toThrow(coded('E_ROSTER', /signature of administrator \d is not valid/));
  });
});

describe('the founder', () => {
  it('takes no signature of another roster, and none that does not verify', () => {
    const other = withNorth({ stewardKey: newKey() });
    const take = (change: RosterChange) => (): unknown => mergeSignatures(proposed, change, 'a file');
    expect(take(other)).toThrow(coded('E_ROSTER', /is about version 1 with digest/));
    const [one] = signed.signatures;
    const forged = { ...proposed, signatures: [{ ...one!, admin: 3 }] };
    expect(take(forged)).toThrow(coded('E_ROSTER', /signature of administrator 3 is not valid/));
  });
});

describe('the founder, about the first entry of the log', () => {
  it('takes signatures of member sites that verify, and no others', async () => {
    const other = new Walk(join(root, 'other'));
    await other.propose();
    const change = other.signed();
    const [one, two] = [other.sign('east', change), other.sign('north', change)];
    const [sigOne] = one.genesis!.signatures;
    const [sigTwo] = two.genesis!.signatures;
    const forged = (sig: object): RosterChange => ({
      ...one,
      genesis: { ...one.genesis!, signatures: [{ ...sigOne!, ...sig }] },
    });
    for (const bad of [{ sig: sigTwo!.sig }, { key: 'fed/x+00000000' }])
      expect(() => other.collect([forged(bad)])).toThrow(
        coded('E_ROSTER', /under the first entry is not valid/),
      );
    expect(other.collect([one, two]).genesis?.signatures).toHaveLength(2);
  });

  it('proposes no roster that its administrators could not sign, and none that daemons would not read', async () => {
    const small = new Walk(join(root, 'small'));
    await small.create({ k: 4 });
    for (const name of NAMES) admit(small.founder, await small.join(name), small.now);
    const propose = (): unknown => proposeFounding(small.founder, small.now);
    expect(propose).toThrow(coded('E_ARGUMENT', /3 sites were admitted, this federation needs at least 4/));
    admit(small.founder, await small.join('west'), small.now);
    const west = small.request('west');
    const enrolment = { ...west.enrolment, org: 'Hospital \u0041\u030a' };
    writePrivate(join(small.founder.requests, 'west.json'), { ...west, enrolment });
    expect(propose).toThrow(coded('E_ROSTER', /org: text in NFC/));
  });

  it('does not found what stands', () => {
    expect(() => proposeFounding(walk.founder, walk.now)).toThrow(
      coded('E_ARGUMENT', /the federation stands/),
    );
  });
});

describe('what a site installs', () => {
  const install = (change: Partial<FederationFile>) => (): void =>
    walk.install('north', { ...file, ...change });

  it('must be signed by enough administrators', () => {
    const { roster, signatures } = file.roster;
    const few = { roster, signatures: signatures.slice(1) };
    expect(install({ roster: few })).toThrow(coded('E_ROSTER', /1 of 2 administrators signed/));
    expect(install({ roster: { roster, signatures: [signatures[0]!, signatures[0]!] } })).toThrow(
      coded('E_ROSTER', /1 of 2 administrators signed/),
    );
  });

  it('must have the first entry that every founder signed, and its quorum policy', () => {
    const entry = JSON.parse(Buffer.from(file.genesis, 'base64').toString()) as { sigs: object[] };
    const less = Buffer.from(JSON.stringify({ ...entry, sigs: entry.sigs.slice(1) })).toString('base64');
    expect(install({ genesis: less })).toThrow(expect.objectContaining({ code: 'E_LOG_ENTRY' }));
    expect(install({ quorumPolicy: file.quorumPolicy.replace('quorum', 'quorum ') })).toThrow(
      coded('E_ROSTER', /quorum policy/),
    );
  });

  it('must have a certificate of the authority of the invitation, for this key and this site', async () => {
    const stranger = await Authority.create('fed_walk');
    expect(install({ authority: stranger.certificate })).toThrow(coded('E_CERTIFICATE', /another authority/));
    const { north: _, ...others } = file.certificates;
    expect(install({ certificates: others })).toThrow(coded('E_CERTIFICATE', /is missing/));
    expect(install({ certificates: { ...others, north: others['south'] ?? '' } })).toThrow(
      coded('E_CERTIFICATE', /does not name this site/),
    );
    expect(install({ certificates: { ...others, north: 'x' } })).toThrow(
      coded('E_CERTIFICATE', /cannot be read/),
    );
    const own = file.roster.roster.members.find(({ name }) => name === 'north');
    const { csrPem } = await createCertificateRequest('north');
    const foreign = await stranger.issueSite(csrPem, { id: own!.id, name: 'north', identityKey: own!.key });
    expect(install({ certificates: { ...others, north: foreign } })).toThrow(
      coded('E_CERTIFICATE', /not signed by the authority/),
    );
    const ca = await loadAuthority(walk.founder);
    const moved = await ca.issueSite(csrPem, { id: own!.id, name: 'north', identityKey: own!.key });
    expect(install({ certificates: { ...others, north: moved } })).toThrow(
      coded('E_CERTIFICATE', /not for the TLS key that this site made/),
    );
  });

  it('is pinned: then the daemon loads it, and an older or another roster is refused', () => {
    install({})();
    const { config, state, federation } = walk.site('north');
    const { rosterHash } = readDaemonConfig(config);
    expect(`sha256:${rosterHash}`).toBe(digestOfRoster(file.roster.roster));
    const identity = readSeedFile(join(state, 'keys', 'identity.key'));
    expect(loadFederation(federation, 'north', rosterHash, identity).own.name).toBe('north');
    expect(install({})).not.toThrow();
    const another = withNorth({ validTo: '2099-01-01T00:00:00.000Z' });
    expect(() => due(another)).toThrow(coded('E_ROSTER', /version 1 is another roster than version 1/));
    walk.pin('north', 2);
    expect(() => due(proposed)).toThrow(coded('E_ROSTER', /version 1 is older than version 2/));
    expect(install({})).toThrow(coded('E_ROSTER', /version 1 is older than version 2/));
  });

  it('is the same for every site', () => {
    for (const name of NAMES.filter((site) => site !== 'north')) walk.install(name, file);
    const pins = NAMES.map((name) => readDaemonConfig(walk.site(name).config).rosterHash);
    expect(new Set(pins).size).toBe(1);
  });
});
