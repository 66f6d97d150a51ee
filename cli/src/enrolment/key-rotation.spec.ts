import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keyPathsOf, readSeedFile } from '@regulon/client/enrol';
import { loadFederation } from '@regulon/client/policy';
import { hex, publicKeyOf } from '@regulon/shared/crypto';
import { changeLines } from './change-lines.js';
import type { FederationFile } from './federation-file.js';
import { certify } from './founding.js';
import { installUpdate } from './install-site.js';
import {
  type KeyRotation,
  keyPathIn,
  nextKeyOf,
  type RotatedRole,
  ROTATED_ROLES,
  rotateKey,
} from './key-rotation.js';
import { proposeRotation, putInForce } from './membership.js';
import { renewSite, takeRenewal } from './renewal.js';
import type { RosterChange } from './roster-change.js';
import { rosterInForce } from './roster-chain.js';
import { NAMES, Walk } from './walk.support.js';

const coded = (code: string, message: RegExp): object =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as unknown });

let root: string;
let walk: Walk;
let founding: FederationFile;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'regulon-rotation-'));
  walk = new Walk(root);
  founding = await walk.found();
  for (const site of NAMES) walk.install(site, founding);
}, 120_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const keyOf = (role: RotatedRole): string =>
  hex(publicKeyOf(readSeedFile(keyPathIn(walk.site('north'), 'north', role))));
const update = (site: string, file: FederationFile): number =>
  installUpdate(walk.site(site), file, walk.now.getTime());

/** Administrators sign, the founder collects, every member installs the result. */
async function inForce(change: RosterChange, ...signers: readonly string[]): Promise<FederationFile> {
  const signed = signers.map((site) => walk.sign(site, change));
  putInForce(walk.founder, walk.collect(signed));
  const file = await certify(walk.founder);
  for (const site of NAMES) update(site, file);
  return file;
}

describe('a key of a member', () => {
  it.each(ROTATED_ROLES)(
    '(%s) is exchanged: the new one is in service once the roster that lists it is installed, the old one is gone',
    async (role) => {
      const old = keyOf(role);
      const rotation = rotateKey(walk.site('north'), role);
      // asked again, the same key is handed over to
      expect(rotateKey(walk.site('north'), role)).toEqual(rotation);
      expect(keyOf(role)).toBe(old);
      const change = proposeRotation(walk.founder, rotation, 'routine');
      expect(changeLines(change, 'east').join('\n')).toMatch(role === 'administrator' ? /^~ /m : /CHANGED/);
      const file = await inForce(change, 'east', 'north');
      expect(keyOf(role)).toBe(rotation.key);
      expect(existsSync(nextKeyOf(keyPathIn(walk.site('north'), 'north', role)))).toBe(false);
      expect(walk.site('north').record().pending).toEqual({});
      const { state, federation, config } = walk.site('north');
      const [, pinned = ''] = /^rosterHash: (.*)$/m.exec(readFileSync(config, 'utf8')) ?? [];
      const loaded = loadFederation(federation, 'north', pinned, readSeedFile(keyPathsOf(state).identity));
      expect(loaded.versions).toHaveLength(file.changes.length + 1);
      // and goes on: a renewal is signed by the key in service
      const renewal = await renewSite(walk.site('north'), walk.now);
      takeRenewal(walk.founder, renewal, rosterInForce(walk.founder).roster, walk.now.getTime());
      expect(update('north', await certify(walk.founder))).toBe(file.changes.length + 1);
    },
    60_000,
  );

  const spoiled: [string, (rotation: KeyRotation) => KeyRotation, RegExp][] = [
    ['of another federation', (r) => ({ ...r, federationId: 'fed_other' }), /not about version/],
    ['about an older roster', (r) => ({ ...r, rosterHash: '00'.repeat(32) }), /not about version/],
    ['for another key', (r) => ({ ...r, key: '11'.repeat(32) }), /the new key did not sign it/],
    ['in the name of another site', (r) => ({ ...r, site: 'east' }), /the new key did not sign it/],
  ];
  it.each(spoiled)('is not exchanged by a request %s', (_, spoil, rule) => {
    const rotation = rotateKey(walk.site('south'), 'steward');
    expect(() => proposeRotation(walk.founder, spoil(rotation), 'routine')).toThrow(coded('E_ROSTER', rule));
  });

  it('is not exchanged without an administrator of its hospital', () => {
    const change = proposeRotation(walk.founder, rotateKey(walk.site('south'), 'steward'), 'compromised');
    const signed = ['east', 'north'].map((site) => walk.sign(site, change));
    expect(() => putInForce(walk.founder, walk.collect(signed))).toThrow(
      coded('E_ROSTER', /no administrator of south signed/),
    );
  });

  it('of another site than its own is refused by the site: it signs no roster with a key that it did not make', () => {
    const { pending: _, ...record } = walk.site('south').record();
    const change = JSON.parse(readFileSync(walk.founder.changeFile, 'utf8')) as RosterChange;
    expect(record.stewardKey).not.toBe(
      change.roster.members.find(({ name }) => name === 'south')?.stewardKey,
    );
    expect(() => walk.sign('south', change)).not.toThrow();
    const north = change.roster.members.find(({ name }) => name === 'north')!;
    const members = change.roster.members.map((m) =>
      m.name === 'north' ? { ...north, stewardKey: '22'.repeat(32) } : m,
    );
    const forged = { ...change, roster: { ...change.roster, members } };
    expect(() => walk.sign('north', forged)).toThrow(
      coded('E_ROSTER', /steward key of north is not the one that this site made/),
    );
  });

  it('that is lost cannot hand over', () => {
    expect(() => rotateKey(walk.site('south'), 'steward', join(root, 'none.key'))).toThrow(
      coded('E_KEY_FILE', /is missing/),
    );
    const other = keyPathIn(walk.site('east'), 'east', 'steward');
    expect(() => rotateKey(walk.site('south'), 'steward', other)).toThrow(
      coded('E_ROSTER', /not the one of the roster in force/),
    );
  });
});
