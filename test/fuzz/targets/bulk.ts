import { concatBytes, enc, u32 } from '@regulon/shared/crypto';
import {
  BulkCipher,
  decodeOpenBody,
  FRAME_CHUNK,
  FRAME_COMMIT,
  FRAME_OPEN,
  MAX_FRAME_BYTES,
  type OpenBody,
  readFrameHeader,
} from '@regulon/shared/wire';
import type { Dice } from '../../security/support/dice.js';
import { changeList, piecesOf } from '../grammar/pieces.js';
import { LIMITS } from '../harness/mutate-bytes.js';
import { mustHold, type Target } from '../harness/target.js';
import { digestOf } from './wire.js';

const open: OpenBody = {
  ephemeralKey: digestOf(1),
  streamId: digestOf(2).slice(0, 16),
  uploadId: digestOf(3).slice(0, 16),
  leaseId: digestOf(4).slice(0, 16),
};
const streamKeys = { sharedKey: digestOf(5), ctx: digestOf(6), site: 3 };
const cipher = (body = open): BulkCipher => new BulkCipher({ ...streamKeys, open: body }, 'up');

/** OPEN, chunks and COMMIT of a short upload. */
function frames(): Buffer[] {
  const up = cipher();
  const chunk = (offset: number, last: boolean): Buffer =>
    up.seal({ kind: FRAME_CHUNK, last, offset }, new Uint8Array(40).fill(offset));
  return [
    up.sealOpen(open, 0),
    chunk(0, false),
    chunk(40, true),
    up.seal({ kind: FRAME_COMMIT, last: true, offset: 80 }, digestOf(7)),
  ];
}

/** Headers and OPEN bodies, as both sides read them before any key is known. */
const header: Target = {
  name: 'bulk-frame',
  codes: ['E_MESSAGE'],
  examples: () => frames().map((frame) => Uint8Array.from(frame)),
  run(input) {
    const frame = Buffer.from(input.buffer, input.byteOffset, input.length);
    const read = readFrameHeader(frame);
    if (read.kind === FRAME_OPEN) decodeOpenBody(frame, read);
    mustHold(read.length <= input.length && read.offset >= 0, 'a frame with more bytes than it has');
  },
  change: changeHeader,
  maxBytes: MAX_FRAME_BYTES + 100,
};

function changeHeader(input: Uint8Array, dice: Dice): Uint8Array {
  const frame = input.length < 24 ? concatBytes(input, new Uint8Array(64)) : input.slice();
  const view = new DataView(frame.buffer, frame.byteOffset);
  const value = dice.chance(3) ? frame.length - 40 : dice.pick(LIMITS);
  view.setUint32(dice.pick([4, 8, 12, 16, 20]), Math.max(0, value));
  return dice.chance(4) ? concatBytes(frame, new Uint8Array(dice.pick(LIMITS.slice(0, 25)))) : frame;
}

/** Frames of a stream as the coordinator opens them: changed, lost, repeated, in another order. */
const stream: Target = {
  name: 'bulk-stream',
  codes: ['E_MESSAGE', 'E_SEAL'],
  examples: () => [enc(...frames())],
  run(input) {
    const sent = (piecesOf(input) ?? []).map((bytes) => Buffer.from(bytes));
    const [first = Buffer.alloc(0)] = sent;
    const up = cipher(decodeOpenBody(first, readFrameHeader(first)));
    const right = frames();
    sent.forEach((frame, i) => {
      const { header: read, plaintext } = up.open(frame);
      mustHold(frame.equals(right[i] ?? Buffer.alloc(0)), 'a frame opened that nobody sealed');
      mustHold(read.length === plaintext.length, 'a frame with another length than its header');
    });
  },
  change: (input, dice) =>
    enc(
      ...changeList(piecesOf(input) ?? [], dice, (frame, d) =>
        d.chance(2) ? changeHeader(frame, d) : frame,
      ),
    ),
};

/** The bulk channel. */
export const bulkTargets = (): Target[] => [header, stream];

/** For length lies: a frame whose header claims so many plaintext bytes. */
export function claimingFrame(length: number): Uint8Array {
  const frame = Uint8Array.from(frames()[1] ?? []);
  frame.set(u32(length), 16);
  return frame;
}
