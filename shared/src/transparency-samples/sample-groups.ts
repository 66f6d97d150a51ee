import { rootOfBytes } from '../crypto/index.js';
import { makeCohort, plainSum } from '../secagg/secagg.support.js';
import { runGroupsUntil, sumOfGroup } from '../secagg/sub-cohorts.support.js';
import { deriveRound } from '../transparency/evidence/verify-evidence.js';
import { digestText, roundEvidenceOf } from '../transparency/index.js';

/** A closed round of ten sites in two groups, run by the real machines, beside no log. */
export function groupedRound() {
  const cohort = makeCohort(10, { gammaNum: 0, subCohort: 5, d: 9 });
  const { server, clients, uploads } = runGroupsUntil(cohort, 'r4');
  const { manifest, groups } = server;
  const keys = server.closeU1();
  const each = <T>(of: (id: number) => T | undefined): T[] => server.u3.flatMap((id) => of(id) ?? []);
  const upload = (id: number): Uint8Array => uploads.get(id) ?? new Uint8Array();
  const unmaskings = groups.map((group) => ({ group, unmasking: group.unmaskKeys() }));
  const evidence = roundEvidenceOf({
    advertised: keys,
    shares: each((id) => clients.get(id)?.shareKeys(keys)),
    commits: each((id) => clients.get(id)?.commit(rootOfBytes(upload(id)), manifest.d + 2)),
    consistency: groups.flatMap((group) => group.signatures()),
    answers: each((id) => clients.get(id)?.unmask()),
    responders: unmaskings.flatMap(({ unmasking }) => unmasking.responders),
  });
  const complaints: string[] = [];
  const derived = deriveRound(
    { manifest, roster: cohort.roster, evidence, uncounted: new Set() },
    (rule, note) => void complaints.push(`${rule} ${note}`),
  );
  /** of the groups, 32-bit words */
  const sums = unmaskings.map(({ group, unmasking }) => sumOfGroup({ uploads }, group, unmasking));
  /** what `round.aggregate` says of a group */
  const stated = derived.groups.map(({ u1, h1, h2, h3 }, k) => ({
    ...{ sites: [...u1], h1: digestText(h1), h2: digestText(h2), h3: digestText(h3) },
    aggregateRoot: digestText(rootOfBytes(sums[k] ?? new Uint8Array())),
  }));
  return { manifest, evidence, derived, complaints, upload, sums, stated, sum: plainSum(sums, 32) };
}
