export {
  gaussianDelta,
  gaussianEpsilon,
  gaussianMu,
  gaussianNoise,
  type GaussianSteps,
} from './exact-gaussian.js';
export { epsilonFromRdp, rdpOfSampledGaussian, rdpOrders, type RdpEpsilon } from './rdp.js';
export { pldDelta, pldEpsilon, PREVIEW_GRID, REPORT_GRID, type SampledGaussianSteps } from './pld.js';
export {
  discreteGaussianGap,
  integerOrders,
  LEAST_LOCAL_SIGMA,
  rdpOfInteger,
  roundedSensitivity,
  type IntegerMechanism,
} from './integer-mechanisms.js';
export {
  ACCOUNTANT,
  accountOf,
  boundOf,
  reportedEpsilon,
  rdpEpsilon,
  type GaussianEvent,
  type IntegerEvent,
  type PrivacyAccount,
  type PrivacyEvent,
} from './account.js';
export { areaUnder, foundAt, mostFound, type MembershipScores } from './membership.js';
export { noiseFor, type CalibratedNoise, type NoiseTarget } from './calibrate.js';
export { DiscreteGaussian, wholeSigma } from './sampling/discrete-gaussian.js';
export { verifyNoise } from './checks.js';
export { exactRate, samplingThreshold } from './sampling/poisson.js';
export { drawNormals, toNoisyMean } from './sampling/gaussian.js';
export { RandomWords, type WordSource } from './sampling/random-words.js';
export {
  FIRST_LINK,
  linkOf,
  verifyLedger,
  type Charge,
  type LedgerHead,
  type StoredCharge,
} from './ledger/chain.js';
export {
  chargedEventSchema,
  parseChargedEvent,
  privacyEventsOf,
  type ChargedEvent,
} from './ledger/charged-event.js';
export {
  mostSpent,
  spendingOf,
  verifyWithinBudget,
  type PrivacyBudget,
  type Spending,
} from './ledger/budget.js';
