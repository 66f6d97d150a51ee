import { equalBytes, sha256, u32 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  decodeErrorInfo,
  encodeErrorInfo,
  type Item,
  itemCodec,
  type Notice,
  noticeCodec,
  type Query,
  queryCodec,
  type Reply,
  replyCodec,
  type Request,
  requestCodec,
} from '@regulon/shared/wire';
import { changeProtobuf } from '../grammar/protobuf.js';
import { mustHold, type Target } from '../harness/target.js';

const bytes = (length: number): Uint8Array => new Uint8Array(length).map((_, i) => i + 1);
const attempt = { run: bytes(16), round: 3, attempt: 1 };
const message = bytes(40);

const requests: readonly Request[] = [
  { type: 'hello', protocolVersions: [1, 2], rosterHash: bytes(32), daemonVersion: '0.1.0', nowMs: 1e12 },
  { type: 'appendEntry', entry: message },
  { type: 'putAttachment', bytes: message },
  ...(['advertise', 'shareKeys', 'complaint', 'consistency', 'unmask'] as const).map((type) => ({
    type,
    ...attempt,
    message,
  })),
  { type: 'refuse', ...attempt, stage: 'r1', code: 'E_POLICY' },
  { type: 'beat', run: bytes(16), round: 3, step: 'training', note: 'epoch 2 – ü' },
  { type: 'acquireLease', ...attempt },
  { type: 'uploadStatus', uploadId: bytes(16) },
];

const replies: readonly Reply[] = [
  {
    ...{ type: 'hello', protocolVersion: 1, nowMs: 1e12, boxKey: bytes(32), boxKeySignature: bytes(64) },
    checkpointNote: 'origin\n1\n',
  },
  { type: 'appendEntry', index: 7 },
  { type: 'putAttachment', digest: bytes(32) },
  { type: 'advertise' },
  { type: 'acquireLease', leaseId: bytes(16), fence: 2, expiresAtMs: 1e12, retryAfterMs: 10 },
  { type: 'uploadStatus', state: 'committed', nextOffset: 2 ** 40, receipt: bytes(64) },
];

const queries: readonly Query[] = [
  { type: 'runContract', run: bytes(16) },
  { type: 'manifest', run: bytes(16), round: 3 },
  { type: 'advertised', ...attempt },
  { type: 'closed', run: bytes(16), round: 3 },
  { type: 'logEntries', from: 3, to: 900 },
  { type: 'consistencyProof', oldSize: 3, newSize: 9 },
  { type: 'spotTiles', run: bytes(16), round: 3, tiles: [0, 1, 300] },
  { type: 'revealed', ...attempt },
  { type: 'answers', ...attempt },
  { type: 'attachment', digest: bytes(32) },
  { type: 'logHashes', from: 3, to: 900 },
];

const items: readonly Item[] = [
  { type: 'runContract', contract: message },
  { type: 'manifest', manifest: message, signature: bytes(64), attempt: 1, resumeStage: 'r2' },
  { type: 'advertised', message },
  {
    ...{ type: 'closed', attempt: 1, outcome: 'closed', transcript: bytes(32), signature: bytes(64) },
    ...{ aggregateRoot: bytes(32), modelHash: bytes(32), reason: '', groupRoots: [bytes(32)] },
  },
  { type: 'logEntries', index: 3, entry: message },
  { type: 'consistencyProof', note: 'a\n1\nx\n', hashes: [bytes(32), bytes(32)] },
  { type: 'spotTiles', aggregate: true, site: 2, tile: message, path: [bytes(32)], index: 4 },
  { type: 'revealed', site: 2, maskSecret: true, secret: bytes(32) },
  { type: 'answers', site: 2, digest: bytes(32), signature: bytes(64) },
  { type: 'attachment', bytes: message },
  { type: 'logHashes', index: 3, hashes: bytes(64), minimum: 256 },
];

const notices: readonly Notice[] = [
  { type: 'run', run: bytes(16), state: 'running' },
  { type: 'stage', ...attempt, stage: 'r3' },
  { type: 'checkpoint', note: 'a\n1\nx\n', oldSize: 5, proof: [bytes(32), bytes(32)] },
];

interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(input: Uint8Array): T;
}

/** A decoder of the control channel: one byte string for a value, one value for a byte string. */
function controlTarget<T>(name: string, codec: Codec<T>, values: readonly T[]): Target {
  return {
    name,
    codes: ['E_MESSAGE'],
    examples: () => values.map((value) => codec.encode(value)),
    run(input) {
      mustHold(equalBytes(codec.encode(codec.decode(input)), input), 'an accepted message has other bytes');
    },
    change: changeProtobuf,
  };
}

const errorInfo: Target = {
  name: 'error-info',
  codes: [],
  examples: () => [
    encodeErrorInfo(new RegulonError('E_POLICY', 'the plan is not allowed – “ü”', { hint: 'ask' })),
    encodeErrorInfo(new RegulonError('E_BUSY', 'x'.repeat(3000), { hint: 'é'.repeat(1500) })),
  ],
  run(input) {
    const { message: words } = decodeErrorInfo(input);
    mustHold(!/[\p{Cc}\p{Cf}]/u.test(words) && words.length < 500, 'text of the coordinator with controls');
  },
  change: changeProtobuf,
};

/** Everything that is said on the control channel. */
export const wireTargets = (): Target[] => [
  controlTarget('wire-request', requestCodec, requests),
  controlTarget('wire-reply', replyCodec, replies),
  controlTarget('wire-query', queryCodec, queries),
  controlTarget('wire-item', itemCodec, items),
  controlTarget('wire-notice', noticeCodec, notices),
  errorInfo,
];

/** 32 bytes that stand for a key or hash. */
export const digestOf = (n: number): Uint8Array => sha256(u32(n));
