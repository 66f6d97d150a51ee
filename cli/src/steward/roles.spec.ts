import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hex, publicKeyOf } from '@regulon/shared/crypto';
import {
  assembleEntry,
  entryHash,
  keyReference,
  keysOfGenesis,
  KeyType,
  openEntry,
  parseEntry,
  signedPayloadOf,
  signPayload,
  statementKeyName,
  verifierKey,
} from '@regulon/shared/transparency';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { Person } from '../enrolment/index.js';
import type { LoggedEntry } from './read-log.js';
import { grantingSite, grantRole, revokeRole } from './roles.js';
import { StewardBook } from './steward-book.js';

const sample = new SampleFederation();
const keys = keysOfGenesis(parseEntry(sample.genesisEntry));
const name = { id: sample.roster.federationId, origin: sample.genesis.origin };
const until = { role: 'researcher', subject: 'r-7', validUntil: '2099-01-01T00:00:00.000Z' } as const;
let folder: string;
let log: LoggedEntry[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-roles-'));
  log = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A coordinator that signs beside the steward, as the log then holds it. */
const append = (bytes: Uint8Array): Promise<number> => {
  const entry = parseEntry(bytes);
  const payload = signedPayloadOf(bytes, entry);
  const own = signPayload(payload, sample.signer('coordinator', 'coordinator'));
  const logged = assembleEntry(payload, [...entry.sigs, own]);
  return Promise.resolve(
    log.push({ index: log.length, hash: entryHash(logged), entry: parseEntry(logged) }) - 1,
  );
};
const site = () => ({
  ...{ name, log, append, own: sample.roster.members[0]! },
  federation: { keys } as never,
});

describe('a steward who gives and takes roles', () => {
  it('builds on the entry as the coordinator signed it', async () => {
    const person = Person.create(folder, 'steward', 'site-1');
    const book = new StewardBook(join(folder, 'book.json'), person);
    const key = hex(Person.create(folder, 'researcher', 'r-7').publicKey);
    await book.post(site(), grantRole(site(), { ...until, key }).statement);
    await book.post(
      site(),
      revokeRole(site(), { role: 'researcher', subject: 'r-7', reason: 'left' }).statement,
    );
    expect(log.map(({ entry }) => [entry.kind, entry.seq])).toEqual([
      ['role.grant', 0],
      ['role.revoke', 1],
    ]);
    expect(log[1]?.entry.prev).toBe(`sha256:${hex(log[0]?.hash ?? new Uint8Array(0))}`);
  });

  it('writes the key under the name that the log knows', () => {
    const { body } = grantRole(site(), { ...until, key: 'ab'.repeat(32) }).statement;
    expect(body.key).toMatch(new RegExp(`^${name.origin}/researcher/r-7\\+[0-9a-f]{8}\\+`));
    expect(() => grantRole(site(), { ...until, key: 'ab' })).toThrow(
      expect.objectContaining({ code: 'E_ARGUMENT' }),
    );
  });

  it('is told from the log which site answers for a key', async () => {
    const book = new StewardBook(join(folder, 'book.json'), Person.create(folder, 'steward', 'site-1'));
    const keyOf = (id: string): Uint8Array => publicKeyOf(SampleFederation.seed('researcher', id));
    const reference = (id: string): string => {
      const keyName = statementKeyName(name.origin, 'researcher', id);
      return keyReference(verifierKey(keyName, KeyType.statement, keyOf(id)));
    };
    const key = hex(keyOf('r-7'));
    await book.post(site(), grantRole(site(), { ...until, key }).statement);
    expect(grantingSite(log, reference('r-7'))).toBe('site-1');
    expect(grantingSite(log, reference('r1'))).toBeNull();
  });

  it('takes a role of entry 0 away, and none that nobody has', () => {
    const { statement } = revokeRole(site(), { role: 'researcher', subject: 'r1', reason: 'left' });
    expect(statement.body.key).toContain('/researcher/r1+');
    expect(() => revokeRole(site(), { role: 'auditor', subject: 'r1', reason: 'left' })).toThrow(
      expect.objectContaining({ code: 'E_NOT_FOUND' }),
    );
  });

  it('cannot grant alone: without the coordinator the entry is refused', () => {
    const key = hex(Person.create(folder, 'researcher', 'r-7').publicKey);
    const { body } = grantRole(site(), { ...until, key }).statement;
    const alone = sample.entry(['steward', 'site-1'], 'role.grant', {}, body as never);
    expect(() => openEntry(alone, keys)).toThrow(/coordinator\+.* is missing/);
  });
});
