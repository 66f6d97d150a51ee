import { describe, expect, it } from '@jest/globals';
import { concatBytes, enc, u32, utf8 } from '@regulon/shared/crypto';
import { isRegulonError } from '@regulon/shared/errors';
import { decodeSpecification } from '@regulon/shared/genomics';
import { decodeManifest, decodeMessage, type MessageKind } from '@regulon/shared/secagg';
import {
  parseConsistencySignatures,
  parseEntryBundle,
  parseRoundEvidence,
  readBundle,
} from '@regulon/shared/transparency';
import {
  BulkCipher,
  decodeErrorInfo,
  itemCodec,
  noticeCodec,
  queryCodec,
  readFrameHeader,
  replyCodec,
  requestCodec,
} from '@regulon/shared/wire';
import { corpusOf } from './harness/corpus.js';

/** Lengths and counts that an input claims. */
const CLAIMS = [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const MOST_GROWTH = 2 << 20;

const kinds: readonly MessageKind[] = [
  ...([
    'advertise',
    'shares',
    'delivery',
    'commit',
    'survivor',
    'consistency',
    'answer',
    'complaint',
  ] as const),
];

/** Every decoder with a length field. */
const decoders: readonly (readonly [string, (input: Uint8Array) => unknown])[] = [
  ['wire-request', (input) => requestCodec.decode(input)],
  ['wire-reply', (input) => replyCodec.decode(input)],
  ['wire-query', (input) => queryCodec.decode(input)],
  ['wire-item', (input) => itemCodec.decode(input)],
  ['wire-notice', (input) => noticeCodec.decode(input)],
  ['error-info', (input) => decodeErrorInfo(input)],
  ...kinds.map((kind) => [`secagg-${kind}`, (input: Uint8Array) => decodeMessage(kind, input)] as const),
  ['manifest', decodeManifest],
  ['round-evidence', parseRoundEvidence],
  ['consistency-signatures', parseConsistencySignatures],
  ['bulk-frame', (input) => readFrameHeader(Buffer.from(input.buffer, input.byteOffset, input.length))],
  ['bulk-stream', openFrame],
  ['entry-bundle', (input) => parseEntryBundle(input, 2 ** 31)],
  ['bundle-zip', readBundle],
  ['feature-specification', decodeSpecification],
];

function openFrame(input: Uint8Array): unknown {
  const zero = new Uint8Array(32);
  const open = { ephemeralKey: zero, streamId: zero, uploadId: zero, leaseId: zero };
  return new BulkCipher({ sharedKey: zero, ctx: zero, site: 1, open }, 'up').open(Buffer.from(input));
}

/** Bytes that a call leaves or holds at its end, on the heap and outside of it. */
function growthOf(call: () => void): number {
  const before = process.memoryUsage();
  call();
  const after = process.memoryUsage();
  const grown = (what: 'heapUsed' | 'external' | 'arrayBuffers'): number => after[what] - before[what];
  return Math.max(grown('heapUsed'), grown('external'), grown('arrayBuffers'));
}

/** Each place of an input overwritten by a claimed length, as an integer of either order and as a varint. */
function* lies(input: Uint8Array): Generator<Uint8Array> {
  const step = Math.max(1, Math.floor(input.length / 200));
  for (let at = 0; at < input.length; at += step) {
    for (const claim of CLAIMS) {
      const big = u32(claim);
      for (const value of [big, big.toReversed(), varint(claim)]) {
        yield concatBytes(input.subarray(0, at), value, input.subarray(at + 4));
        yield concatBytes(input.subarray(0, at), value);
      }
    }
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.from([...bytes, rest]);
}

describe('a claimed length of 2 GiB and more costs no memory', () => {
  it.each(decoders)('%s', (name, decode) => {
    const attempt = (input: Uint8Array): void => {
      try {
        decode(input);
      } catch (error) {
        if (!isRegulonError(error)) throw error;
      }
    };
    const inputs = [...corpusOf(name).slice(0, 3)].flatMap((input) => [...lies(input)]);
    expect(inputs.length).toBeGreaterThan(0);
    inputs.slice(0, 50).forEach(attempt);
    const largest = Math.max(...inputs.map((input) => growthOf(() => attempt(input))));
    expect(largest).toBeLessThan(MOST_GROWTH);
  });

  it('would be seen: a decoder that believes a length grows by it', () => {
    const believing = (input: Uint8Array): number => new Uint8Array((input[0] ?? 0) * 2 ** 22).length;
    expect(growthOf(() => believing(Uint8Array.of(1)))).toBeGreaterThan(MOST_GROWTH);
  });

  it('refuses counts and lengths at once', () => {
    const refused = expect.objectContaining({ code: 'E_MESSAGE' });
    const evidence = enc(utf8('regulon/round-evidence/v1'), u32(2 ** 32 - 1));
    expect(() => parseRoundEvidence(evidence)).toThrow(refused);
    expect(() => decodeMessage('answer', enc(u32(1), u32(2 ** 31)))).toThrow(refused);
    expect(() => requestCodec.decode(Uint8Array.of(10, 0xff, 0xff, 0xff, 0xff, 7))).toThrow(refused);
  });
});
