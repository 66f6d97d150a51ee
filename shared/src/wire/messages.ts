/**
 * What sites and coordinator say to each other on the control channel, as TypeScript types and as bytes.
 *
 * Mirrors proto/regulon/control/v1 and proto/regulon/secagg/v1, where units and meaning stand at each field.
 * `run` is the 16-byte run id; `message` is a message of secure aggregation in its own canonical bytes
 * (`@regulon/shared/secagg`), signed by the party it names.
 */
import { message, union } from './codec.js';
import { bytes, field, fixed, flag, list, oneOfNames, text, u32, u64 } from './field-types.js';

/** Most plaintext bytes of one message on the control channel. */
export const MAX_REQUEST_BYTES = 900 * 1024;
/** Most plaintext bytes of one item of a stream. */
export const MAX_ITEM_BYTES = 16 * 1024 * 1024;
/** Most hashes of entries in one item. */
export const MAX_HASHES = 256;
const KIB = 1024;
/** A checkpoint with the lines of 255 witnesses, with names of 200 characters. */
const NOTE_BYTES = 96 * KIB;

/** Versions of this protocol that this build speaks, best first. */
export const PROTOCOL_VERSIONS: readonly number[] = [1];

const STAGES = ['r0', 'r1', 'r2', 'r3', 'r4', 'closed', 'aborted'] as const;
const RUN_STATES = ['proposed', 'waiting', 'running', 'paused', 'finished', 'aborted'] as const;
/** Stage of a round: r0 advertise keys, r1 share keys, r2 masked input, r3 consistency, r4 unmask, and its two ends. */
export type WireStage = (typeof STAGES)[number];
/** State of a run as its notices name it. */
export type WireRunState = (typeof RUN_STATES)[number];

const stage = oneOfNames(STAGES);
const runOnly = { run: field(1, fixed(16)) };
const roundOnly = { ...runOnly, round: field(2, u32) };
const attemptRef = { ...roundOnly, attempt: field(3, u32) };
const empty = (name: string) => message(name, {}, 0);
const secagg = (name: string) =>
  message(name, { ...attemptRef, message: field(4, bytes(256 * KIB)) }, 257 * KIB);

/** Bytes of a `Request`. */
export const requestCodec = union(
  'Request',
  {
    hello: [
      1,
      message(
        'HelloRequest',
        {
          protocolVersions: field(1, list(u32, 16)),
          rosterHash: field(2, fixed(32)),
          daemonVersion: field(3, text(64)),
          nowMs: field(4, u64),
        },
        KIB,
      ),
    ],
    appendEntry: [2, message('AppendEntryRequest', { entry: field(1, bytes(512 * KIB)) }, 513 * KIB)],
    putAttachment: [3, message('PutAttachmentRequest', { bytes: field(1, bytes(896 * KIB)) }, 897 * KIB)],
    advertise: [4, secagg('AdvertiseRequest')],
    shareKeys: [5, secagg('ShareKeysRequest')],
    complaint: [6, secagg('ComplaintRequest')],
    consistency: [7, secagg('ConsistencyRequest')],
    unmask: [8, secagg('UnmaskRequest')],
    refuse: [
      9,
      message('RefuseRequest', { ...attemptRef, stage: field(4, stage), code: field(5, text(64)) }, KIB),
    ],
    beat: [
      10,
      message('BeatRequest', { ...roundOnly, step: field(3, text(32)), note: field(4, text(200)) }, KIB),
    ],
    acquireLease: [11, message('AcquireLeaseRequest', attemptRef, 64)],
    uploadStatus: [12, message('UploadStatusRequest', { uploadId: field(1, fixed(16)) }, 64)],
    cosign: [13, message('CosignRequest', { size: field(1, u64), cosignature: field(2, fixed(72)) }, 128)],
    renewCertificate: [
      14,
      message('RenewCertificateRequest', { renewal: field(1, bytes(16 * KIB)) }, 17 * KIB),
    ],
  },
  MAX_REQUEST_BYTES,
);

/** Bytes of a `Reply`. */
export const replyCodec = union(
  'Reply',
  {
    hello: [
      1,
      message(
        'HelloReply',
        {
          protocolVersion: field(1, u32),
          nowMs: field(2, u64),
          boxKey: field(3, fixed(32)),
          boxKeySignature: field(4, fixed(64)),
          checkpointNote: field(5, text(NOTE_BYTES)),
        },
        NOTE_BYTES + KIB,
      ),
    ],
    appendEntry: [2, message('AppendEntryReply', { index: field(1, u64) }, 64)],
    putAttachment: [3, message('PutAttachmentReply', { digest: field(1, fixed(32)) }, 64)],
    advertise: [4, empty('AdvertiseReply')],
    shareKeys: [5, empty('ShareKeysReply')],
    complaint: [6, empty('ComplaintReply')],
    consistency: [7, empty('ConsistencyReply')],
    unmask: [8, empty('UnmaskReply')],
    refuse: [9, empty('RefuseReply')],
    beat: [10, empty('BeatReply')],
    acquireLease: [
      11,
      message(
        'AcquireLeaseReply',
        {
          leaseId: field(1, bytes(16)),
          fence: field(2, u64),
          expiresAtMs: field(3, u64),
          retryAfterMs: field(4, u32),
        },
        128,
      ),
    ],
    uploadStatus: [
      12,
      message(
        'UploadStatusReply',
        {
          state: field(1, oneOfNames(['absent', 'partial', 'committed'])),
          nextOffset: field(2, u64),
          receipt: field(3, bytes(64)),
        },
        128,
      ),
    ],
    cosign: [13, empty('CosignReply')],
    renewCertificate: [
      14,
      message('RenewCertificateReply', { certificate: field(1, text(16 * KIB)) }, 17 * KIB),
    ],
  },
  MAX_REQUEST_BYTES,
);

/** Bytes of a `Query`. */
export const queryCodec = union(
  'Query',
  {
    runContract: [1, message('RunContractQuery', runOnly, 64)],
    manifest: [2, message('ManifestQuery', roundOnly, 64)],
    advertised: [3, message('AdvertisedQuery', attemptRef, 64)],
    deliveries: [4, message('DeliveriesQuery', attemptRef, 64)],
    survivors: [5, message('SurvivorsQuery', attemptRef, 64)],
    signatures: [6, message('SignaturesQuery', attemptRef, 64)],
    closed: [7, message('ClosedQuery', roundOnly, 64)],
    logEntries: [8, message('LogEntriesQuery', { from: field(1, u64), to: field(2, u64) }, 64)],
    consistencyProof: [
      9,
      message('ConsistencyProofQuery', { oldSize: field(1, u64), newSize: field(2, u64) }, 64),
    ],
    spotTiles: [10, message('SpotTilesQuery', { ...roundOnly, tiles: field(3, list(u32, 16)) }, 256)],
    revealed: [11, message('RevealedQuery', attemptRef, 64)],
    answers: [12, message('AnswersQuery', attemptRef, 64)],
    attachment: [13, message('AttachmentQuery', { digest: field(1, fixed(32)) }, 64)],
    logHashes: [14, message('LogHashesQuery', { from: field(1, u64), to: field(2, u64) }, 64)],
  },
  KIB,
);

const signed = (name: string) => message(name, { message: field(1, bytes(64 * KIB)) }, 65 * KIB);
const hashes = list(fixed(32), 64);

/** Bytes of an `Item`. */
export const itemCodec = union(
  'Item',
  {
    runContract: [1, message('RunContractItem', { contract: field(1, bytes(15 << 20)) }, MAX_ITEM_BYTES)],
    manifest: [
      2,
      message(
        'ManifestItem',
        {
          manifest: field(1, bytes(512 * KIB)),
          signature: field(2, fixed(64)),
          attempt: field(3, u32),
          resumeStage: field(4, stage),
        },
        513 * KIB,
      ),
    ],
    advertised: [3, signed('AdvertisedItem')],
    deliveries: [4, signed('DeliveriesItem')],
    survivors: [5, signed('SurvivorsItem')],
    signatures: [6, signed('SignaturesItem')],
    closed: [
      7,
      message(
        'ClosedItem',
        {
          attempt: field(1, u32),
          outcome: field(2, oneOfNames(['closed', 'aborted'])),
          transcript: field(3, fixed(32)),
          signature: field(4, fixed(64)),
          aggregateRoot: field(5, bytes(32)),
          modelHash: field(6, bytes(32)),
          reason: field(7, text(256)),
          groupRoots: field(8, list(fixed(32), 64)),
        },
        4 * KIB,
      ),
    ],
    logEntries: [
      8,
      message('LogEntriesItem', { index: field(1, u64), entry: field(2, bytes(512 * KIB)) }, 513 * KIB),
    ],
    consistencyProof: [
      9,
      message(
        'ConsistencyProofItem',
        { note: field(1, text(NOTE_BYTES)), hashes: field(2, hashes) },
        NOTE_BYTES + 4 * KIB,
      ),
    ],
    spotTiles: [
      10,
      message(
        'SpotTilesItem',
        {
          aggregate: field(1, flag),
          site: field(2, u32),
          tile: field(3, bytes(64 * KIB)),
          path: field(4, hashes),
          index: field(5, u32),
        },
        68 * KIB,
      ),
    ],
    revealed: [
      11,
      message(
        'RevealedItem',
        { site: field(1, u32), maskSecret: field(2, flag), secret: field(3, fixed(32)) },
        64,
      ),
    ],
    answers: [
      12,
      message(
        'AnswersItem',
        { site: field(1, u32), digest: field(2, fixed(32)), signature: field(3, fixed(64)) },
        128,
      ),
    ],
    attachment: [13, message('AttachmentItem', { bytes: field(1, bytes(15 << 20)) }, MAX_ITEM_BYTES)],
    logHashes: [
      14,
      message(
        'LogHashesItem',
        { index: field(1, u64), hashes: field(2, bytes(32 * MAX_HASHES)), minimum: field(3, u64) },
        9 * KIB,
      ),
    ],
  },
  MAX_ITEM_BYTES,
);

/** Bytes of a `Notice`. */
export const noticeCodec = union(
  'Notice',
  {
    run: [1, message('RunNotice', { ...runOnly, state: field(2, oneOfNames(RUN_STATES)) }, 64)],
    stage: [2, message('StageNotice', { ...attemptRef, stage: field(4, stage) }, 64)],
    checkpoint: [
      3,
      message(
        'CheckpointNotice',
        { note: field(1, text(NOTE_BYTES)), oldSize: field(2, u64), proof: field(3, hashes) },
        NOTE_BYTES + 4 * KIB,
      ),
    ],
  },
  NOTE_BYTES + 5 * KIB,
);

type Decoded<M> = M extends { decode(bytes: Uint8Array): infer T } ? T : never;
/** A question that has one answer. Every request may be repeated without a second effect. */
export type Request = Decoded<typeof requestCodec>;
/** The answer to a request, of its own `type`. */
export type Reply = Decoded<typeof replyCodec>;
/** A question that is answered by a stream of items of the query's own `type`. */
export type Query = Decoded<typeof queryCodec>;
/** One element of the answer to a query. */
export type Item = Decoded<typeof itemCodec>;
/** What the coordinator says on its own; only ever a hint where to look, so losing one loses nothing. */
export type Notice = Decoded<typeof noticeCodec>;

/** The reply to a request of this type. */
export type ReplyOf<T extends Request['type']> = Extract<Reply, { type: T }>;
/** The request of this type. */
export type RequestOf<T extends Request['type']> = Extract<Request, { type: T }>;
/** An item of the answer to a query of this type. */
export type ItemOf<T extends Query['type']> = Extract<Item, { type: T }>;
/** The query of this type. */
export type QueryOf<T extends Query['type']> = Extract<Query, { type: T }>;
