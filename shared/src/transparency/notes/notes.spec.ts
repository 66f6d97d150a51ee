import { describe, expect, it } from '@jest/globals';
import { hex, leafHashOf, utf8 } from '../../crypto/index.js';
import { checkpointBody, parseCheckpoint, signCheckpoint, verifyCheckpoint } from './checkpoint.js';
import { cosign, cosignatureTimes } from './cosignature.js';
import { formatNote, parseNote, signaturesOf } from './signed-note.js';
import { formatVkey, keyReference, KeyType, parseVkey, verifierKeyOf } from './vkey.js';

const seed = new Uint8Array(32).fill(1);
const origin = 'regulon.example/fed/demo';
const checkpoint = { origin, size: 1, root: leafHashOf(utf8('L123456')) };
const logKey = verifierKeyOf({ keyName: origin, seed }, KeyType.log);
const note = signCheckpoint(checkpoint, { keyName: origin, seed });

describe('verifier keys', () => {
  it.each([
    'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx',
    'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8',
  ])('reads and writes %s', (vkey) => {
    expect(formatVkey(parseVkey(vkey))).toBe(vkey);
    expect(() => parseVkey(vkey.replace(/\+[0-9a-f]/, (m) => (m === '+1' ? '+2' : '+1')))).toThrow();
  });

  it('marks statement keys so that no note verifier takes them', () => {
    const key = verifierKeyOf({ keyName: `${origin}/site/site-1`, seed }, KeyType.statement);
    const bytes = Buffer.from(formatVkey(key).split('+').slice(2).join('+'), 'base64');
    expect(bytes[0]).toBe(0xff);
    expect(bytes.subarray(1, 16).toString()).toBe('regulon-dsse-v1');
    expect(parseVkey(formatVkey(key))).toEqual(key);
    expect(keyReference(key)).toMatch(/^regulon\.example\/fed\/demo\/site\/site-1\+[0-9a-f]{8}$/);
  });

  it('refuses weak keys and names that cannot stand in a note', () => {
    const weak = Buffer.concat([Buffer.of(1), Buffer.alloc(31), Buffer.alloc(1)]).toString('base64');
    expect(() => parseVkey(`x+00000000+${weak}`)).toThrow(expect.objectContaining({ code: 'E_KEY_FILE' }));
    const statement = Buffer.from(formatVkey(verifierKeyOf({ keyName: 'x', seed }, KeyType.statement)));
    const other = statement.toString().replace('+/3JlZ3Vsb24', '+/3JlZ3Vsb25');
    expect(other).not.toBe(statement.toString());
    expect(() => parseVkey(other)).toThrow('is not of the form');
    expect(() => verifierKeyOf({ keyName: 'a b', seed }, KeyType.log)).toThrow();
    expect(() => verifierKeyOf({ keyName: 'a+b', seed }, KeyType.log)).toThrow();
  });
});

describe('checkpoints', () => {
  it('are signed as published', () => {
    expect(checkpointBody(checkpoint)).toBe(`${origin}\n1\nOVqgZKpMKfcBCs/j8l25SFu9S5GJe2rXrVR2OSUrTVY=\n`);
    expect(note).toBe(
      `${checkpointBody(checkpoint)}\n\u2014 ${origin} ` +
        'V/KEPPpH6lZFtNjOzSFhrTkvY9nqoN6W9nEIxOJ7FYEinQQfPfd+Pd/obb+TYO1Bi/P3Fr5mvLmuufLPL3hcnanlSgE=\n',
    );
    expect(verifyCheckpoint(note, logKey)).toEqual(checkpoint);
  });

  it('refuse any changed character', () => {
    for (let i = 0; i < note.length; i++) {
      const changed = `${note.slice(0, i)}${note[i] === 'A' ? 'B' : 'A'}${note.slice(i + 1)}`;
      expect(() => verifyCheckpoint(changed, logKey)).toThrow();
    }
    expect(() => verifyCheckpoint(note.slice(0, -1), logKey)).toThrow();
    expect(() => verifyCheckpoint(`x\u0007${note}`, logKey)).toThrow();
  });

  it('refuse another origin, extension lines, sizes that are no numbers, and keys of another type', () => {
    const other = signCheckpoint({ ...checkpoint, origin: 'other' }, { keyName: origin, seed });
    expect(() => verifyCheckpoint(other, logKey)).toThrow();
    expect(() => parseCheckpoint(note.replace('\n1\n', '\n01\n'))).toThrow();
    expect(() => parseCheckpoint(note.replace('\n\n', '\nextension\n\n'))).toThrow();
    const cosigner = verifierKeyOf({ keyName: origin, seed }, KeyType.cosigner);
    expect(() => verifyCheckpoint(note, cosigner)).toThrow();
    expect(() => verifyCheckpoint(`${'x'.repeat(512 * 1024)}${note}`, logKey)).toThrow('512 KiB');
  });

  it('ignore unknown keys, and bound the number of signature lines', () => {
    const parsed = parseNote(note);
    const unknown = { name: 'someone', keyId: new Uint8Array(4), signature: new Uint8Array(64) };
    const many = (n: number): string =>
      formatNote({
        ...parsed,
        signatures: [...parsed.signatures, ...(Array(n).fill(unknown) as (typeof unknown)[])],
      });
    expect(verifyCheckpoint(many(519), logKey).size).toBe(1);
    expect(() => verifyCheckpoint(many(520), logKey)).toThrow();
  });
});

describe('signed notes', () => {
  it('refuse a line of a known key that does not verify', () => {
    const parsed = parseNote(note);
    const forged = { name: logKey.name, keyId: logKey.keyId, signature: new Uint8Array(64) };
    expect(() =>
      verifyCheckpoint(formatNote({ ...parsed, signatures: [...parsed.signatures, forged] }), logKey),
    ).toThrow();
    expect(
      signaturesOf(parsed, logKey, (signature) => ({ message: utf8(parsed.body), signature })),
    ).toHaveLength(1);
  });
});

describe('cosignatures', () => {
  const name = `${origin}/site/a`;
  const witness = verifierKeyOf({ keyName: name, seed }, KeyType.cosigner);
  const line = cosign(checkpointBody(checkpoint), { keyName: name, seed }, 1763680000);

  it('are made as published', () => {
    expect(hex(witness.keyId)).toBe('955a28dd');
    const bytes = Buffer.concat([line.keyId, line.signature]).toString('base64');
    expect(bytes).toBe(
      'lVoo3QAAAABpH58AeqrW/sP3sigE9VmSbbH5I3cFr5C/XhqrqLG7fVbDm2weCURQvBNOoKHiZTIJ5M/4o+bmaysGcL4GirB2kdgACA==',
    );
  });

  it('tell their time, and refuse another', () => {
    const parsed = parseNote(note);
    const cosigned = formatNote({ ...parsed, signatures: [...parsed.signatures, line] });
    expect(cosignatureTimes(cosigned, witness)).toEqual([1763680000]);
    expect(cosignatureTimes(note, witness)).toEqual([]);
    const late = { ...line, signature: Uint8Array.from(line.signature) };
    late.signature[7] = 1;
    expect(() => cosignatureTimes(formatNote({ ...parsed, signatures: [late] }), witness)).toThrow();
    const short = { ...line, signature: line.signature.slice(1) };
    expect(() => cosignatureTimes(formatNote({ ...parsed, signatures: [short] }), witness)).toThrow();
  });
});
