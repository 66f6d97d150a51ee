import { hex } from '@regulon/shared/crypto';
import type { Manifest, SecAggClient } from '@regulon/shared/secagg';
import type { AttemptFacts } from '../../state/index.js';

/** The group of this site, and all groups where there are several. */
export function cohortFacts(client: SecAggClient, { subCohort }: Manifest): AttemptFacts {
  const { keys, h1 } = client.cohort();
  const groups = client.groups().map((group) => group.keys.map(({ id }) => id));
  const peers = keys.map((k) => ({ id: k.id, sPk: hex(k.sPk), cb: '' }));
  return { h1: hex(h1), u1: keys.length, peers, ...(subCohort === 0 ? {} : { groups }) };
}
