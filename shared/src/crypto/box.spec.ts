import { describe, expect, it } from '@jest/globals';
import nacl from 'tweetnacl';
import { boxBefore, boxKeyPair, boxOpen, boxSeal, randomBytes, secretboxOpen, secretboxSeal } from './box.js';
import { fromHex, hex, utf8 } from './bytes.js';

const lowOrderPoints = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

describe('boxes', () => {
  it('derives the public and the shared key of tweetnacl', () => {
    for (let k = 0; k < 20; k++) {
      const own = boxKeyPair();
      const theirs = nacl.box.keyPair();
      expect(hex(own.publicKey)).toBe(hex(nacl.scalarMult.base(own.secretKey)));
      expect(hex(boxBefore(theirs.publicKey, own.secretKey))).toBe(
        hex(nacl.box.before(own.publicKey, theirs.secretKey)),
      );
    }
  });

  it('refuses every low-order public key', () => {
    for (const point of lowOrderPoints) {
      expect(() => boxBefore(fromHex(point), randomBytes(32))).toThrow(
        expect.objectContaining({ code: 'E_LOW_ORDER' }),
      );
    }
    expect(() => boxBefore(new Uint8Array(31), randomBytes(32))).toThrow(
      expect.objectContaining({ code: 'E_LOW_ORDER' }),
    );
  });

  it('opens what was sealed, and nothing that was changed', () => {
    const [key, nonce] = [randomBytes(32), randomBytes(24)];
    const sealed = boxSeal(utf8('hello'), nonce, key);
    expect(hex(boxOpen(sealed, nonce, key))).toBe(hex(utf8('hello')));
    expect(hex(secretboxSeal(utf8('hello'), nonce, key))).toBe(hex(sealed));
    sealed[3] = (sealed[3] ?? 0) ^ 1;
    expect(() => secretboxOpen(sealed, nonce, key)).toThrow(expect.objectContaining({ code: 'E_SEAL' }));
  });
});
