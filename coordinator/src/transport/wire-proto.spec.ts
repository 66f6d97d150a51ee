import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import {
  itemCodec,
  noticeCodec,
  queryCodec,
  replyCodec,
  requestCodec,
  type Item,
  type Notice,
  type Query,
  type Reply,
  type Request,
} from '@regulon/shared/wire';

/** The field tables of `shared/src/wire` against protobufjs on `proto/`: the same bytes in both directions. */
const proto = loadSync('regulon/control/v1/messages.proto', {
  includeDirs: [fileURLToPath(new URL('../../../proto', import.meta.url))],
  longs: Number,
  enums: String,
  defaults: true,
  arrays: true,
  oneofs: true,
});
const typeOf = (name: string) =>
  proto[`regulon.control.v1.${name}`] as unknown as MessageTypeDefinition<object, object>;

const fill = (length: number): Uint8Array => new Uint8Array(length).fill(length);
const attempt = { run: fill(16), round: 3, attempt: 2 };
const secagg = { ...attempt, message: fill(40) };
const requests: Request[] = [
  {
    type: 'hello',
    protocolVersions: [1, 300],
    rosterHash: fill(32),
    daemonVersion: 'dä 1',
    nowMs: 1_790_000_000_000,
  },
  { type: 'appendEntry', entry: fill(7) },
  { type: 'putAttachment', bytes: fill(9) },
  { type: 'advertise', ...secagg },
  { type: 'shareKeys', ...secagg },
  { type: 'complaint', ...secagg },
  { type: 'consistency', ...secagg },
  { type: 'unmask', ...secagg },
  { type: 'refuse', ...attempt, stage: 'r2', code: 'E_POLICY' },
  { type: 'beat', run: fill(16), round: 1, step: 'training', note: 'epoch 2' },
  { type: 'acquireLease', ...attempt },
  { type: 'uploadStatus', uploadId: fill(16) },
  { type: 'cosign', size: 2 ** 33, cosignature: fill(72) },
  { type: 'renewCertificate', renewal: fill(300) },
];
const accepted = [
  ...(['advertise', 'shareKeys', 'complaint', 'consistency', 'unmask', 'refuse', 'beat'] as const),
  'cosign',
] as const;
const replies: Reply[] = [
  {
    type: 'hello',
    protocolVersion: 1,
    nowMs: 5e12,
    boxKey: fill(32),
    boxKeySignature: fill(64),
    checkpointNote: 'note',
  },
  { type: 'appendEntry', index: 2 ** 40 },
  { type: 'putAttachment', digest: fill(32) },
  ...accepted.map((type) => ({ type })),
  { type: 'acquireLease', leaseId: fill(16), fence: 4, expiresAtMs: 5, retryAfterMs: 6 },
  { type: 'uploadStatus', state: 'committed', nextOffset: 7, receipt: fill(64) },
  { type: 'renewCertificate', certificate: 'pem' },
];
const round = { run: fill(16), round: 3 };
const queries: Query[] = [
  { type: 'runContract', run: fill(16) },
  { type: 'manifest', ...round },
  { type: 'advertised', ...attempt },
  { type: 'deliveries', ...attempt },
  { type: 'survivors', ...attempt },
  { type: 'signatures', ...attempt },
  { type: 'closed', ...round },
  { type: 'logEntries', from: 1, to: 9 },
  { type: 'consistencyProof', oldSize: 1, newSize: 2 },
  { type: 'spotTiles', ...round, tiles: [5, 300] },
  { type: 'revealed', ...attempt },
  { type: 'answers', ...attempt },
  { type: 'attachment', digest: fill(32) },
  { type: 'logHashes', from: 1, to: 9 },
];
const closed = {
  ...{ attempt: 1, transcript: fill(32), signature: fill(64), reason: 'why' },
  groupRoots: [fill(32), fill(32)],
};
const items: Item[] = [
  { type: 'runContract', contract: fill(50) },
  { type: 'manifest', manifest: fill(50), signature: fill(64), attempt: 1, resumeStage: 'closed' },
  { type: 'advertised', message: fill(5) },
  { type: 'deliveries', message: fill(5) },
  { type: 'survivors', message: fill(5) },
  { type: 'signatures', message: fill(5) },
  { type: 'closed', ...closed, outcome: 'aborted', aggregateRoot: fill(32), modelHash: fill(32) },
  { type: 'logEntries', index: 5, entry: fill(5) },
  { type: 'consistencyProof', note: 'n', hashes: [fill(32), fill(32)] },
  { type: 'spotTiles', aggregate: true, site: 3, tile: fill(70), path: [fill(32)], index: 7 },
  { type: 'revealed', site: 4, maskSecret: true, secret: fill(32) },
  { type: 'answers', site: 4, digest: fill(32), signature: fill(64) },
  { type: 'attachment', bytes: fill(50) },
  { type: 'logHashes', index: 512, hashes: fill(64), minimum: 256 },
];
const notices: Notice[] = [
  { type: 'run', run: fill(16), state: 'paused' },
  { type: 'stage', ...attempt, stage: 'r4' },
  { type: 'checkpoint', note: 'n', oldSize: 5, proof: [fill(32)] },
];

interface AnyCodec {
  readonly encode: (value: never) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => unknown;
}

describe.each<[string, AnyCodec, readonly { readonly type: string }[]]>([
  ['Request', requestCodec, requests],
  ['Reply', replyCodec, replies],
  ['Query', queryCodec, queries],
  ['Item', itemCodec, items],
  ['Notice', noticeCodec, notices],
])('%s', (name, codec, samples) => {
  const cases = samples.map((sample) => [sample.type, sample] as const);
  const type = typeOf(name);

  it.each(cases)('%s has the bytes that protobufjs gives and reads', (kind, sample) => {
    const ours = codec.encode(sample as never);
    const read = type.deserialize(Buffer.from(ours)) as { kind: string } & Record<
      string,
      Record<string, unknown>
    >;
    expect(read.kind).toBe(kind);
    const { type: _type, ...body } = sample as unknown as { type: string } & Record<string, unknown>;
    expect(Object.keys(read[kind]!).sort()).toEqual(Object.keys(body).sort());
    for (const [key, value] of Object.entries(body))
      expect(plain(read[kind]![key])).toEqual(plain(value, read[kind]![key]));
    expect(codec.decode(type.serialize(read))).toEqual(sample);
  });

  it('has a sample for every body', () => {
    const message = type.type as { field: { oneofIndex?: number }[] };
    expect(samples).toHaveLength(message.field.length);
  });
});

/** Bytes as hexadecimal; a name of ours as the enum name that protobufjs reads. */
function plain(value: unknown, other?: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map((element) => plain(element));
  if (typeof value === 'string' && typeof other === 'string' && other.endsWith(`_${value.toUpperCase()}`))
    return other;
  return value;
}
