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
  dealersMinimum,
  contributorsOf,
  thresholdsOf,
  type ManifestExpectation,
} from './manifest-checks.js';
export { warningsOf } from './warnings.js';
export { memberKey, type RosterView } from './roster.js';
export { verifySurvivors, type CohortView } from './r3-survivors.js';
export {
  verifyClose,
  verifyGroupedClose,
  type AnnouncedClose,
  type ClosedGroup,
  type ShownAnswer,
} from './close-check.js';
export type {
  AdvertiseKeys,
  AnswerEntry,
  Complaint,
  ConsistencySignature,
  MaskedCommit,
  MessageKind,
  MessageOfKind,
  ShareDelivery,
  ShareKeys,
  SurvivorEntry,
  UnmaskAnswer,
} from './messages.js';
export { decodeMessage, encodeMessage, type MessageLimits } from './message-codec.js';
export { SecAggClient, type MaskPlan } from './client.js';
export type { JoinInput } from './client-join.js';
export { reveal } from './server-unmask.js';
export { aggRootOf, AttemptServer, type SumRoots } from './attempt-server.js';
export { SecAggServer, type Unmasking } from './server.js';
export type { ServerInput } from './server-core.js';
export {
  unmaskKeysOf,
  type MaskKey,
  type MaskPublicKey,
  type Revealed,
  type UnmaskInput,
} from './mask-keys.js';
export {
  abortTranscript,
  closeTranscript,
  hashOfAnswer,
  hashOfKeys,
  hashOfMembers,
  hashOfSurvivors,
  seedCommitment,
  signTranscript,
  verifyChain,
  verifyTranscript,
  type CloseFields,
  type TranscriptLink,
} from './transcript.js';
export { hashOverGroups, subCohortOf, subCohortsOf, type SubCohort } from './sub-cohorts.js';
export { reopenDigest, reopenEvidence, verifyReopen, type BurntAttempt, type Reopen } from './reopen.js';
export { encodeDealerProof, verifyDealerProof } from './dealer-proof.js';
export { MaskEngine, type TileSource } from './mask-engine.js';
export { jsKernel, TILE_BYTES, wasmKernel, type RingBits, type RingKernel } from './ring-kernel.js';
export { tileRanges, type TileRange } from './tile-ranges.js';
export { foldAndUnmaskTile, type FoldInput } from './fold.js';
export { Rounding, roundingKey } from './rounding.js';
export {
  clipScale,
  decodeMean,
  decodeSigned32,
  normSquaredTile,
  quantiseTile,
  WEIGHT_UNITS,
  type QuantiseOptions,
  type RoundingSource,
} from './quantise.js';
export { decodeFixed, encodeFixed, packIntegers, unpackIntegers } from './fixed-point.js';
export {
  noiseVariance,
  ringMechanisms,
  samplerFor,
  type RingMechanism,
  type RingSampler,
  type RingSamplers,
} from './ring-noise.js';
export { kappa, ringBoundsHold } from './ring-bounds.js';
export { OutOfOrder } from './order.js';
