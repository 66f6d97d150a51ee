import { Person } from '../../enrolment/index.js';
import type { FederationFolder } from './folder.js';

/** Administrators of a simulated federation. */
const ADMINISTRATORS = 5;
/** k: how many of them must sign. */
export const ADMINISTRATORS_NEEDED = 3;

/** The people of a new federation. */
export interface People {
  readonly administrators: readonly Person[];
  readonly stewards: readonly Person[];
  readonly researcher: Person;
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
