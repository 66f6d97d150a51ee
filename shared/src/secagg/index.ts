export { thresholds, type ThresholdInput, type Thresholds } from './thresholds.js';
export {
  ctxOf,
  decodeManifest,
  encodeManifest,
  signManifest,
  vectorLength,
  verifyManifest,
  type Manifest,
  type ManifestExtra,
  type Role,
  type SiteId,
} from './manifest.js';
export {
  checkCohortRule,
  checkExpectation,
  checkManifest,
  cohortMinimum,
  contributorsOf,
  thresholdsOf,
  type ManifestExpectation,
} from './manifest-checks.js';
export { memberKey, type RosterView } from './roster.js';
