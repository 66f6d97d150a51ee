import type { AuditDocument } from './report-document.js';

const listed = (values: readonly string[]): string => [...new Set(values)].sort().join(', ') || 'none stated';

/** A question that no program can answer, and what the log has to say about it. */
export interface HumanRow {
  readonly question: string;
  readonly evidence: string;
}

/** The questions that a person answers and signs. */
export function humanRows({ policies, datasets, runs, federation, verification }: AuditDocument): HumanRow[] {
  const references = policies.flatMap((policy) => policy.references);
  const claims = runs.flatMap(({ proposal }) => proposal?.privacy ?? []);
  const caps = policies.map(({ site, epsilonCap }) => `${site} ${epsilonCap ?? 'no cap'}`);
  const count = (kind: string): number => references.filter((one) => one === kind).length;
  const { f } = verification.quorum;
  const row = (question: string, evidence: string): HumanRow => ({ question, evidence });
  return [
    row(
      'Do legal basis and consent cover the purpose of each run?',
      `legal basis: ${listed(policies.map(({ legalBasis }) => legalBasis))}; data-use terms: ${listed([...policies, ...datasets].flatMap(({ dataUse }) => dataUse))} (row A1 matches them; what a plan declares is the word of its researcher); purposes of runs: ${listed(runs.flatMap(({ proposal }) => proposal?.purpose ?? []))}`,
    ),
    row(
      'Are the contracts with processors and partners in place?',
      `${count('contract')} references in policies`,
    ),
    row(
      'Do data-protection assessment and ethics approval cover these runs?',
      `${count('dpia')} references to an assessment and ${count('ethics')} to an approval in policies`,
    ),
    row(
      'Is the privacy loss ε acceptable?',
      claims.length === 0
        ? 'no plan that is shown claims differential privacy'
        : `${claims.length} plans with noise; caps: ${listed(caps)}`,
    ),
    row(
      'Is the unit of privacy right (families, patients with several samples)?',
      `units of datasets: ${listed(datasets.map(({ unit }) => unit))}`,
    ),
    row('Is the model a medical device or a high-risk system?', 'not in the log'),
    row('Do data or models cross a border that needs a safeguard?', 'not in the log'),
    row(
      'Who holds the keys, and are the sites independent of each other and of the coordinator?',
      `${federation?.members.length ?? 'unknown'} members; ${f ?? 'unknown'} may collude; where one operator runs all sites, their cosignatures are worth nothing`,
    ),
    row('Which clocks do coordinator and sites follow?', 'row L4; the source is not in the log'),
    row('Was the code reviewed?', `software digest ${federation?.software ?? 'unknown'}; row A3`),
    row(
      'Is the quality of the data sufficient, and are groups of patients treated alike?',
      `${datasets.length} committed versions of datasets, ${datasets.filter((one) => one.hasQualityReport).length} with the digest of a quality report; scores are in the report of the run`,
    ),
    row(
      'Were incidents handled?',
      'rounds without a sum and exceptions from policies are listed above; see rows A4 and X1',
    ),
    row('What follows from requests for erasure: retrain, unlearn or accept?', 'row X1'),
  ];
}
