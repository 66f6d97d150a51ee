import { describe, expect, it } from '@jest/globals';
import { publicKeyOf, verifyEd25519 } from '@regulon/shared/crypto';
import { boxKeyStatement, openRequest, type Sealed, SealedSender } from '@regulon/shared/wire';
import { BoxKeys } from './box-keys.js';

const rosterHash = new Uint8Array(32).fill(1);
const seed = new Uint8Array(32).fill(2);
const payload = Uint8Array.of(1, 2, 3);

describe('the box keys of the coordinator', () => {
  const open = (keys: BoxKeys, sealed: Sealed): Uint8Array =>
    keys.openWith(sealed.ephemeralKey, (key) => openRequest('exchange', sealed, key)).payload;

  it('open what was sealed for the last key, and after a second rotation nobody can', () => {
    const keys = BoxKeys.fromSeed(rosterHash, seed);
    const { sealed } = new SealedSender(keys.publicKey).seal('exchange', payload);
    expect(open(keys, sealed)).toEqual(payload);
    keys.rotate();
    expect(open(keys, sealed)).toEqual(payload);
    keys.rotate();
    expect(() => open(keys, sealed)).toThrow(expect.objectContaining({ code: 'E_SEAL' }));
  });

  it('are signed by the statement key, each anew', () => {
    const keys = BoxKeys.fromSeed(rosterHash, seed);
    const before = keys.publicKey;
    keys.rotate();
    expect(keys.publicKey).not.toEqual(before);
    const holds = (key: Uint8Array): boolean =>
      verifyEd25519(publicKeyOf(seed), boxKeyStatement(rosterHash, key), keys.signature);
    expect([holds(keys.publicKey), holds(before)]).toEqual([true, false]);
  });
});
