import { join } from 'node:path';
import { hex, randomBytes } from '@regulon/shared/crypto';
import { type FederationFolder, writeSecret, writeSeed } from './folder.js';
import { Person } from './person.js';
import { ADMINISTRATORS } from './roster.js';

/** The people of a new federation. */
export interface People {
  readonly administrators: readonly Person[];
  readonly stewards: readonly Person[];
  readonly researcher: Person;
}

/** Secrets of the coordinator: seeds of 32 bytes, and the bearer token of its REST API. */
export interface CoordinatorKeys {
  readonly statement: Uint8Array;
  readonly log: Uint8Array;
  readonly token: string;
}

/** New people, each with a key file. */
export function makePeople(folder: FederationFolder, sites: readonly string[]): People {
  return {
    administrators: Array.from({ length: ADMINISTRATORS }, (_, i) =>
      Person.create(folder.people, 'administrator', `admin-${i + 1}`),
    ),
    stewards: sites.map((name) => Person.create(folder.people, 'steward', name)),
    researcher: Person.create(folder.people, 'researcher', 'researcher-1'),
  };
}

/** New keys of the coordinator, each in its file. */
export function coordinatorKeys(folder: FederationFolder): CoordinatorKeys {
  const keys = { statement: randomBytes(32), log: randomBytes(32), token: hex(randomBytes(32)) };
  writeSeed(join(folder.coordinator, 'statement.key'), keys.statement);
  writeSeed(join(folder.coordinator, 'log.key'), keys.log);
  writeSecret(join(folder.coordinator, 'token'), `${keys.token}\n`);
  return keys;
}
