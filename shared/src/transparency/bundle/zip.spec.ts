import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { hex, sha256, utf8 } from '../../crypto/index.js';
import { verifyBundleFits, wholeBundle } from './layout.js';
import { isTilePath } from './tile-paths.js';
import { readZip } from './zip-reader.js';
import { writeZip, zipOrder } from './zip-writer.js';

const limits = { maxFiles: 4, isAllowed: (path: string) => /^[a-z]+$/.test(path) };
const archive = (...names: string[]): Uint8Array =>
  writeZip(new Map(names.map((name) => [name, utf8(name)])));
const [CENTRAL, END] = [46, 22];

/** The archive with some numbers written over. @param at places from the start; negative ones from the end */
function changed(bytes: Uint8Array, ...writes: [at: number, value: number, width: 2 | 4][]): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const view = new DataView(copy.buffer);
  for (const [at, value, width] of writes) {
    const place = at < 0 ? copy.length + at : at;
    if (width === 2) view.setUint16(place, value, true);
    else view.setUint32(place, value, true);
  }
  return copy;
}

/** Place of the central header of the last member, whose name has one letter. */
const last = -(END + CENTRAL + 1);

describe('archives', () => {
  it('give back their files, and name those whose checksum is another', () => {
    const bytes = archive('b', 'a');
    expect([...readZip(bytes, limits).files.keys()]).toEqual(['a', 'b']);
    const wrong = changed(bytes, [14, 7, 4], [-(END + 2 * (CENTRAL + 1)) + 16, 7, 4]);
    expect(readZip(wrong, limits).badChecksums).toEqual(['a']);
  });

  const two = archive('a', 'b');
  it.each([
    ['nothing', new Uint8Array(3), 'no archive'],
    ['an archive that is cut off', two.subarray(0, -1), 'no archive'],
    ['more files than a bundle has', archive('a', 'b', 'c', 'd', 'e'), '5 files are more than 4'],
    ['names that are not sorted', renamed(two, 'b', 'a'), 'not sorted at a'],
    ['a name that no bundle has', renamed(two, 'b', '.'), 'member 2 has a name'],
    ['a directory elsewhere', changed(two, [-6, 0, 4]), 'its directory is not where it says'],
    ['a member that begins elsewhere', changed(two, [last + 42, 0, 4]), 'is not where the directory says'],
    ['a size beyond the directory', changed(two, [last + 24, 999, 4]), 'is not where the directory says (b)'],
    ['a name beyond the directory', changed(two, [last + 28, 9, 2]), 'its directory is cut off'],
    ['more members than the directory holds', changed(two, [-12, 3, 2]), 'its directory is cut off'],
    ['fewer members than the directory holds', changed(two, [-12, 1, 2]), 'bytes that belong to no file'],
    ['a header with a flag', changed(two, [6, 8, 2]), 'a header was changed at byte 6'],
  ])('are refused: %s', (_, bytes, message) => {
    expect(() => readZip(bytes, limits)).toThrow(message);
  });

  it('hold no more files than their format can count', () => {
    const many = new Map(Array.from({ length: 65_536 }, (_, i) => [String(i), new Uint8Array(0)]));
    expect(() => writeZip(many)).toThrow(expect.objectContaining({ code: 'E_BUNDLE' }));
  });
});

/** Every header of a member with another name of one letter. */
function renamed(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1').replaceAll(`${from}PK`, `${to}PK`);
  const local = text.replace(`\0\0${from}${from}`, `\0\0${to}${from}`);
  return Uint8Array.from(Buffer.from(local, 'latin1'));
}

describe('bundles', () => {
  it('are refused before they are written when no reader would take them', () => {
    expect(() => verifyBundleFits(60_000, 2 ** 32 - 1)).not.toThrow();
    for (const [files, bytes] of [
      [60_001, 0],
      [1, 2 ** 32],
    ] as const)
      expect(() => verifyBundleFits(files, bytes)).toThrow(expect.objectContaining({ code: 'E_BUNDLE' }));
  });

  it('have their files in the order of their paths, attachments and tiles of any number', () => {
    const paths = [
      'tile/0/000',
      'VERIFY.md',
      'site-checkpoints/9.note',
      'site-checkpoints/10.note',
      'checkpoint',
    ];
    for (let k = 0; k < 600; k++)
      paths.push(`attachments/sha256/${hex(sha256(utf8(String(k))))}`, `tile/entries/x001/${k}`);
    const sorted = [...paths].sort((a, b) => (a < b ? -1 : 1));
    expect([...zipOrder(paths)]).toEqual(sorted);
  });

  it.each([1, 7, 1000])('are seen to be whole when they came in pieces of %d bytes', async (length) => {
    const bytes = archive('a', 'b', 'c');
    const pieces = async function* (end: number): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < end; at += length)
        yield await Promise.resolve(bytes.subarray(at, Math.min(end, at + length)));
    };
    let files = 0;
    const passed = await buffer(wholeBundle(pieces(bytes.length), (count) => (files = count)));
    expect([passed.equals(bytes), files]).toEqual([true, 3]);
    for (const end of [0, 10, bytes.length - 1])
      await expect(buffer(wholeBundle(pieces(end), () => undefined))).rejects.toMatchObject({
        code: 'E_BUNDLE',
      });
  });
});

describe('paths of tiles', () => {
  it.each(['tile/0/000', 'tile/0/x001/000', 'tile/entries/000.p/17'])('are known: %s', (path) => {
    expect(isTilePath(path)).toBe(true);
  });
  it.each(['tile/0/x000/001', 'tile/0/000.p/0', 'tile/0/000.p/256', 'tile/0/000.p/07', 'tile/8/000'])(
    'have one spelling, which is not %s',
    (path) => {
      expect(isTilePath(path)).toBe(false);
    },
  );
});
