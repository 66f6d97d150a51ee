import { describe, expect, it } from '@jest/globals';
import { leafHashOf, utf8 } from '../../crypto/index.js';
import { LogTree } from '../merkle/tree.js';
import { signCheckpoint } from './checkpoint.js';
import { cosign } from './cosignature.js';
import { withCosignatures } from './quorum.js';
import { parseNote } from './signed-note.js';
import { formatTlogProof, parseTlogProof, verifyTlogProof } from './tlog-proof.js';
import { KeyType, verifierKeyOf } from './vkey.js';

const origin = 'regulon.example/fed/demo';
const logSigner = { keyName: origin, seed: new Uint8Array(32).fill(1) };
const site = { keyName: `${origin}/site/a`, seed: new Uint8Array(32).fill(2) };
const witnesses = [{ name: 'a', key: verifierKeyOf(site, KeyType.cosigner) }];
const policy = { log: verifierKeyOf(logSigner, KeyType.log), witnesses, threshold: 1 };

const entries = ['zero', 'one', 'two', 'three', 'four'].map((text) => utf8(text));
const tree = new LogTree();
entries.forEach((entry) => tree.append(leafHashOf(entry)));
const note = signCheckpoint({ origin, size: 5, root: tree.root() }, logSigner);
const { signature } = cosign(parseNote(note).body, site, 1_763_680_000);
const checkpoint = withCosignatures(note, witnesses, new Map([['a', signature]]));
const proof = { entry: entries[2] ?? new Uint8Array(), index: 2, hashes: tree.inclusion(2), checkpoint };
const text = formatTlogProof(proof);

describe('the proof of one entry', () => {
  it('is read as it was written, and names size and cosigners', () => {
    expect(parseTlogProof(text)).toEqual(proof);
    expect(verifyTlogProof(parseTlogProof(text), policy)).toEqual({ size: 5, cosigners: ['a'] });
    expect(verifyTlogProof({ ...proof, checkpoint: note }, policy).cosigners).toEqual([]);
  });

  it('does not hold for another entry, another place, another log or other hashes', () => {
    const other = { ...policy, log: verifierKeyOf(site, KeyType.log) };
    expect(() => verifyTlogProof({ ...proof, entry: utf8('TWO') }, policy)).toThrow('entry 2 is not proved');
    expect(() => verifyTlogProof({ ...proof, index: 3 }, policy)).toThrow('entry 3 is not proved');
    expect(() => verifyTlogProof({ ...proof, hashes: proof.hashes.slice(1) }, policy)).toThrow();
    expect(() => verifyTlogProof(proof, other)).toThrow(expect.objectContaining({ code: 'E_VERIFY' }));
  });

  it.each([
    ['another header', text.replace('@v1', '@v2')],
    ['no entry', text.replace(/^extra .*\n/m, '')],
    ['an index with a leading zero', text.replace('index 2', 'index 02')],
    ['a line that is not base64', text.replace(/^extra /m, 'extra !')],
    ['no checkpoint', text.split('\n\n')[0] ?? ''],
    ['more hashes than any log has', text.replace('index 2\n', `index 2\n${'AA==\n'.repeat(54)}`)],
  ])('is refused with %s', (_, wrong) => {
    expect(() => parseTlogProof(wrong)).toThrow(expect.objectContaining({ code: 'E_VERIFY' }));
  });
});
