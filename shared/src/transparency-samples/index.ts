export { SampleFederation, signSampleRoster } from './sample-federation.js';
export { joined, left, rotated } from './sample-membership.js';
export { SampleLog } from './sample-log.js';
export { sampleRun } from './sample-run.js';
export { groupedRound } from './sample-groups.js';
export { exceptedRun, spoilFirst } from './sample-override.js';
export {
  sample,
  samplePlan,
  samplePlanHash,
  samplePolicyBytes,
  type SampleOptions,
  type SpoiledBaseline,
  type SpoiledPruning,
  type StewardWord,
} from './sample-options.js';
export { sampleExport, sampleRelease, type SampleRelease } from './sample-release.js';
export {
  attachNote,
  firstEntryOf,
  forkedNote,
  twinOfFirstPolicy,
  writeAnchor,
  writeEvidence,
  writeRefusal,
  writeReport,
} from './sample-evidence.js';
export { twinGrants, twinsAfterExchange, twinsOfProposal } from './sample-twins.js';
export { personKey, writeGrant, writeProposal, writeRevoke } from './sample-roles.js';
export {
  BASELINE_SIZE,
  fillLog,
  noRoot,
  prunedFiles,
  pruneLog,
  writeBaseline,
  writePrune,
} from './sample-baseline.js';
