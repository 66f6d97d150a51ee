export { LogTree } from './merkle/tree.js';
export {
  verifyConsistency,
  verifyInclusion,
  type ConsistencyClaim,
  type InclusionClaim,
} from './merkle/proofs.js';
export { CHAIN_START, nextChain } from './merkle/chain.js';
export {
  encodeEntryBundle,
  hashTileOf,
  MAX_ENTRY_BYTES,
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
  originOf,
  parseVkey,
  statementKeyName,
  verifierKey,
  verifierKeyOf,
  type NamedSeed,
  type VerifierKey,
} from './notes/vkey.js';
export { formatNote, parseNote, type NoteSignature, type SignedNote } from './notes/signed-note.js';
export {
  checkpointBody,
  parseCheckpoint,
  signCheckpoint,
  verifyCheckpoint,
  type Checkpoint,
} from './notes/checkpoint.js';
export { cosign, cosignatureTimes } from './notes/cosignature.js';
export { parseQuorumPolicy, quorumOf, quorumPolicyText, type QuorumPolicy } from './notes/quorum-policy.js';
export { bandOf, digestBytes, digestText, MAX_LIST, type Attachment, type Band } from './entries/fields.js';
export { kinds, type ActorType, type BodyOf, type Kind, type ScopeOf } from './entries/kinds.js';
export { type Actor, type EntrySignature, type LogEntry } from './entries/schema.js';
export { entryHash, parseEntry, signedPayloadOf } from './entries/parse.js';
export {
  assembleEntry,
  entryPayload,
  headOf,
  nextPosition,
  NO_PREVIOUS,
  preAuthenticationEncoding,
  sealEntry,
  signPayload,
  type ChainHead,
  type ChainPosition,
  type EntryDraft,
} from './entries/seal.js';
export { keysOfGenesis, openEntry, verifyEntry, verifyPosition, type OpenedEntry } from './entries/open.js';
export {
  FederationKeys,
  type ActorKey,
  type GenesisMember,
  type ResolveAttachment,
} from './entries/federation-keys.js';
export { attachmentOf, attachmentsOf, isAttachment, listField, MediaType } from './entries/attachments.js';
export { entryRefused, type EntryRule } from './entries/rule-error.js';
export { bundleFiles, isBundlePath, readBundle, writeBundle } from './bundle/layout.js';
export { parseTilePath } from './bundle/tile-paths.js';
export { genesisOf, type GenesisDraft, type GenesisInput } from './entries/genesis.js';
export { verifyGenesisOfRoster, type GenesisOfRoster } from './entries/genesis-of-roster.js';
export {
  encodeConsistencySignatures,
  encodeRoundEvidence,
  parseConsistencySignatures,
  parseRoundEvidence,
  roundEvidenceOf,
  type RoundEvidence,
  type RoundMessages,
  type ShareHeader,
} from './evidence/round-evidence.js';
export { verifyBundle, type VerifyInput } from './verify/verify-bundle.js';
export { type RunReport, type VerifyReport } from './verify/report.js';
export { machineRows, type RowId, type RowStatus } from './verify/findings.js';
export { explainEntry } from './verify/explain.js';
