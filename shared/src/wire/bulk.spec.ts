import { describe, expect, it } from '@jest/globals';
import { fromHex, hex, randomBytes } from '../crypto/index.js';
import { BulkCipher, uploadIdOf } from './bulk-cipher.js';
import {
  CHUNK_BYTES,
  decodeOpenBody,
  FRAME_CHUNK,
  readFrameHeader,
  writeFrameHeader,
  type OpenBody,
} from './bulk-frame.js';

const open: OpenBody = {
  ephemeralKey: randomBytes(32),
  streamId: randomBytes(16),
  uploadId: randomBytes(16),
  leaseId: randomBytes(16),
};
const keys = { sharedKey: randomBytes(32), ctx: randomBytes(32), site: 7, open };
const pair = (change: Partial<typeof keys> = {}) => ({
  sender: new BulkCipher(keys, 'up'),
  receiver: new BulkCipher({ ...keys, ...change }, 'up'),
});
const header = (offset: number) => ({ kind: FRAME_CHUNK, last: false, offset }) as const;
const refused = expect.objectContaining({ code: 'E_SEAL' });

describe('bulk frames', () => {
  it('have the 24-byte header of the protocol', () => {
    const frame = Buffer.alloc(24 + 5 + 16);
    writeFrameHeader(frame, { kind: 2, last: true, seq: 0x01020304, offset: 0x0506070809, length: 5 });
    expect(frame.subarray(0, 24).toString('hex')).toBe('020100010102030400000005060708090000000500000000');
    expect(readFrameHeader(frame)).toEqual({
      kind: 2,
      last: true,
      seq: 0x01020304,
      offset: 0x0506070809,
      length: 5,
    });
  });

  it.each([
    ['kind', 0, 9],
    ['version', 1, 2],
    ['flags', 2, 1],
    ['offset', 8, 0xff],
    ['length', 19, 6],
    ['zero field', 23, 1],
  ])('are refused for a wrong %s', (_name, at, value) => {
    const frame = Buffer.alloc(24 + 5 + 16);
    writeFrameHeader(frame, { kind: 2, last: false, seq: 0, offset: 0, length: 5 });
    frame[at] = value;
    expect(() => readFrameHeader(frame)).toThrow(expect.objectContaining({ code: 'E_MESSAGE' }));
  });

  it('open in order, with the OPEN frame first', () => {
    const { sender, receiver } = pair();
    const first = sender.sealOpen(open, 12);
    expect(decodeOpenBody(first, readFrameHeader(first))).toEqual(open);
    expect(receiver.open(first).plaintext).toHaveLength(0);
    const chunk = randomBytes(CHUNK_BYTES);
    expect(hex(receiver.open(sender.seal(header(0), chunk)).plaintext)).toBe(hex(chunk));
  });

  it('are refused under another context, site, upload, stream, lease or direction', () => {
    const changes = [
      { ctx: randomBytes(32) },
      { site: 8 },
      ...(['uploadId', 'streamId', 'leaseId'] as const).map((name) => ({
        open: { ...open, [name]: randomBytes(16) },
      })),
    ];
    for (const change of changes) {
      const { sender, receiver } = pair(change);
      expect(() => receiver.open(sender.sealOpen(open, 0))).toThrow(refused);
    }
    const reflected = new BulkCipher(keys, 'down').seal(header(0), randomBytes(5));
    expect(() => pair().receiver.open(reflected)).toThrow(refused);
  });

  it('are refused when repeated or left out', () => {
    const { sender, receiver } = pair();
    const [a, , c] = [0, 1, 2].map((i) => sender.seal(header(i), randomBytes(3)));
    receiver.open(a!);
    expect(() => receiver.open(a!)).toThrow(refused);
    expect(() => receiver.open(c!)).toThrow(refused);
  });
});

describe('uploadIdOf', () => {
  it('is the pinned hash of context, h2 and site', () => {
    const ctx = fromHex('4e3616ca95cf1ca57c85976f7da0d5a28af539b4f87e5039815e18703c9c85c5');
    expect(hex(uploadIdOf(ctx, ctx, 3))).toBe('782d4fb3d96187510b257280b02293a6');
  });
});
