export { LogTree } from './merkle/tree.js';
export { verifyConsistency, verifyInclusion } from './merkle/proofs.js';
export { CHAIN_START, nextChain } from './merkle/chain.js';
export {
  encodeEntryBundle,
  hashTileOf,
  newTiles,
  parseEntryBundle,
  TILE_WIDTH,
  tilePath,
  type Tile,
} from './merkle/tiles.js';
export {
  formatVkey,
  keyReference,
  KeyType,
  parseVkey,
  statementKeyName,
  verifierKey,
  verifierKeyOf,
  type VerifierKey,
  type NamedSeed,
} from './notes/vkey.js';
export {
  checkpointBody,
  parseCheckpoint,
  signCheckpoint,
  verifyCheckpoint,
  type Checkpoint,
} from './notes/checkpoint.js';
export { cosign, cosignatureTimes } from './notes/cosignature.js';
export { formatTlogProof, parseTlogProof, verifyTlogProof, type TlogProof } from './notes/tlog-proof.js';
export { cosignersOf, vouchedTimes, withCosignatures, type Witnesses } from './notes/quorum.js';
export { formatNote, parseNote, signaturesOf, textOfNote } from './notes/signed-note.js';
export { parseQuorumPolicy, quorumPolicyText } from './notes/quorum-policy.js';
export { bandOf, digestBytes, digestText, type Attachment } from './entries/fields.js';
export { kinds, type ActorType, type BodyOf, type Kind, type ScopeOf } from './entries/kinds.js';
export { type EntrySignature, type LogEntry } from './entries/schema.js';
export { entryHash, parseEntry, signedPayloadOf } from './entries/parse.js';
export { refuseIdentifiers, refuseIdentifying } from './entries/identifiers.js';
export {
  assembleEntry,
  headOf,
  nextPosition,
  NO_PREVIOUS,
  sealEntry,
  type ChainHead,
  type EntryDraft,
} from './entries/seal.js';
export { isPayloadSigned, signPayload } from './entries/dsse.js';
export { keysOfGenesis, openEntry, verifyEntry, verifyPosition, verifyRoleAfter } from './entries/open.js';
export {
  type ChangeKind,
  foundingRoster,
  isChange,
  KeyHistory,
  oldSigners,
  type Succession,
} from './entries/key-history.js';
export { CONSENT_KINDS, type ConsentEntry, isConsent, Withdrawals } from './entries/withdrawals.js';
export {
  notExcepted,
  OVERRIDE_PERSONS,
  overrideFault,
  type OverrideRule,
  personsOf,
} from './entries/overrides.js';
export { isRole, type RoleEntry } from './entries/granted-roles.js';
export { FederationKeys, type ResolveAttachment } from './entries/federation-keys.js';
export { armModel } from './entries/bodies-plan.js';
export { attachmentOf, attachmentsOf, isAttachment, listField, MediaType } from './entries/attachments.js';
export {
  reopenDocument,
  reopenSigningBytes,
  verifyReopenEntry,
  verifyReopenSignatures,
  type ReopenDocument,
  type ReopenPlace,
} from './entries/reopen.js';
export {
  type Baseline,
  BaselineBuilder,
  baselineSchema,
  type BaselineState,
  isRepeated,
  readBaseline,
} from './evidence/baseline.js';
export { longestClass } from './verify/prune-rows.js';
export { SECURE_AGGREGATION } from './entries/bodies-round.js';
export { NOT_PROTECTED } from './entries/bodies-release.js';
export {
  isApproved,
  releaseDocument,
  releasePayload,
  signRelease,
  type ReleaseApproval,
  type ReleaseDocument,
  type ReleasePlace,
  type ReleaseTerms,
} from './entries/release.js';
export {
  attackReportBytes,
  type AttackFindings,
  ERROR_PARTS,
  errorOfShare,
  FALSE_POSITIVE_RATES,
  LEAST_OF_BAND,
  LEAST_TESTED,
  isSignedBySite,
  parseAttackReport,
  ratesAboveBound,
  SHARE_PARTS,
  signAttackReport,
  type AttackReport,
  type AttackResult,
} from './entries/attack-report.js';
export { entryRefused } from './entries/rule-error.js';
export { parseTilePath } from './bundle/tile-paths.js';
export {
  bundleFiles,
  readBundle,
  siteCheckpointPath,
  verifyBundleFits,
  wholeBundle,
  writeBundle,
} from './bundle/layout.js';
export { ZipPieces, zipOrder } from './bundle/zip-writer.js';
export { Thinning, type VouchedCheckpoint } from './bundle/thinning.js';
export { genesisOf, type GenesisDraft } from './entries/genesis.js';
export { verifyGenesisOfRoster } from './entries/genesis-of-roster.js';
export {
  encodeConsistencySignatures,
  encodeRoundEvidence,
  parseConsistencySignatures,
  parseRoundEvidence,
  roundEvidenceOf,
} from './evidence/round-evidence.js';
export {
  isStateBefore,
  judgeFork,
  judgeRefusal,
  type JudgedLog,
  verifyQuoted,
} from './evidence/log-states.js';
export type { KeptBlobs } from './verify/derived-models.js';
export type { MaskedVector, MaskedVectors } from './verify/replay.js';
export { verifyBundle, type VerifyInput } from './verify/verify-bundle.js';
export { type VerifyReport } from './verify/report.js';
export { explainEntry } from './verify/explain.js';
export { releasableRun, type ReleasableRun, type RunWords } from './verify/releasable-run.js';
export { faultsOfRelease, faultsOfTerms, faultsOfTests } from './verify/release-faults.js';
export { elementsOf } from './verify/context.js';
