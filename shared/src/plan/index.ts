export {
  stoppingState,
  validationDigest,
  stoppingRuleSchema,
  type StoppingRule,
  type StoppingState,
  type ValidationFigures,
} from './early-stopping.js';
export { type Combination, combinationOf, groupsOfPlan, isRobust, toleratedGroups } from './combination.js';
export { hasWorsened } from './validation-gate.js';
export {
  type DatasetTerms,
  datasetUseFault,
  datasetUseHint,
  dataUseFault,
  type DeclaredUse,
  endOfUse,
  permitsResearch,
  TERMS_NEEDED,
} from './data-use.js';
export { untilText } from './until-text.js';
export { dataUseSchema, isDataUseTerm, shownTerm } from './data-use-terms.js';
export { rateFactor, type Schedule } from './learning-rate.js';
export { type Design, type Plan, type PlanPrivacy, type PrepareStep } from './plan.js';
export {
  type HeadTarget,
  headsWeigh,
  headTargets,
  type Target,
  targetWidth,
  trackColumns,
} from './targets.js';
export { parsePlan, planBytes, planHashOf, decimalOf } from './parse.js';
export { parseStrict } from './parse-strict.js';
export { planOfBytes } from './plan-of-bytes.js';
export {
  type DatasetKind,
  datasetKindSchema,
  type DatasetScale,
  datasetScaleSchema,
  codeSchema,
  digestSchema,
  gammaSchema,
  hasRecords,
  isPrepared,
  purposeSchema,
  unitSchema,
} from './terms.js';
export { endOfPolicy, sitePolicySchema, type SitePolicy } from './site-policy.js';
export { isSelfSigned, signMember } from './member.js';
export { type Renewal, renewalSchema, signRenewal, verifyRenewal } from './renewal.js';
export {
  ROSTER_CHANGES,
  rosterChangesSchema,
  rosterSchema,
  signedRosterSchema,
  refusalOf,
  rosterHashOf,
  rosterSigningBytes,
  verifyInForce,
  verifyQuorum,
  verifyRoster,
  type AdministratorSignature,
  type Roster,
  type RosterMember,
  type SignedRoster,
} from './roster.js';
export {
  changeOf,
  handoverBytes,
  verifyRosterChain,
  verifySuccessor,
  type KeyRole,
  type RosterDifference,
} from './succession.js';
