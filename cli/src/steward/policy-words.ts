import type { Words } from './document-lines.js';

/** How the policy of a site reads; see `sitePolicySchema`. */
export const POLICY_WORDS: Words = {
  schema: 'form of the document',
  nMin: 'a sum covers at least {} sites',
  gamma: '{num}/{den} of the sites are assumed to collude with the coordinator',
  purposes: 'purposes that a plan may have',
  legalBasis: 'legal basis',
  references: 'papers about it',
  validUntil: 'holds to the end of {} UTC',
  retentionClass: 'the log is kept as class {} says',
  code: 'software that may run here',
  dataUse: 'terms of use beside those of the dataset',
  reviewersNeeded: '{} persons of this site sign an approval',
  plans: 'plans that may run',
  maxRounds: 'at most {} rounds a plan',
  minInterval: 'at least {} seconds between the beginnings of two rounds',
  maxAttempts: 'at most {} attempts a round',
  maxParameters: 'at most {} parameters a model (float32)',
  requireSecAgg: 'updates leave only masked',
  allowSubCohorts: 'groups of sites may be summed by themselves',
  leaveSiteOut: 'a site may be held out of a model',
  privacy: 'budget of differential privacy of the dataset, over all runs',
  'privacy.epsilon': 'ε at most {}',
  'privacy.delta': 'δ at most {}',
  'privacy.minNoise': 'noise multiplier at least {}',
  stableCohort: 'every round of an arm has the same contributors',
};

/** How the statement about a policy reads, as it stands in the log. */
export const STATED_POLICY_WORDS: Words = {
  policy: 'document',
  'policy.size': 'size: {} bytes',
  supersedes: 'takes the place of',
  epsilonCap: 'ε at most',
  delta: 'δ at most',
  unit: 'a row of the data is a',
  minCohort: 'a sum covers at least {} sites',
  gamma: POLICY_WORDS['gamma'] ?? '',
  egressKinds: 'what may leave',
  legalBasis: 'legal basis',
  references: 'papers about it',
  allowedCode: 'software that may run here',
  validUntil: 'moment after its last day',
  allowDifference: 'sums over cohorts that differ are allowed',
};

/** How the statement about a dataset reads, as it stands in the log. */
export const DATASET_WORDS: Words = {
  panel: 'gene panel or features',
  'panel.size': 'size: {} features',
  band: '{} units, as everybody sees it',
  unit: 'a unit is a',
  qualityReport: 'salted digest of its quality report, which stays here',
  dataUse: 'terms of its use',
  public: 'declared public',
  simulated: 'declared simulated',
};
