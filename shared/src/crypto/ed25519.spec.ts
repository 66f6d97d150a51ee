import { describe, expect, it } from '@jest/globals';
import nacl from 'tweetnacl';
import { fromHex, hex } from './bytes.js';
import { randomBytes } from './box.js';
import { isAcceptablePublicKey, publicKeyOf, signEd25519, verifyEd25519 } from './ed25519.js';

describe('Ed25519', () => {
  it('gives the bytes that tweetnacl gives', () => {
    for (let k = 0; k < 20; k++) {
      const seed = randomBytes(32);
      const message = randomBytes(k * 7);
      const pair = nacl.sign.keyPair.fromSeed(seed);
      expect(hex(publicKeyOf(seed))).toBe(hex(pair.publicKey));
      expect(hex(signEd25519(seed, message))).toBe(hex(nacl.sign.detached(message, pair.secretKey)));
    }
  });

  it('gives the second vector of RFC 8032', () => {
    const seed = fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
    expect(hex(publicKeyOf(seed))).toBe('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
    expect(hex(signEd25519(seed, Uint8Array.of(0x72))).slice(0, 32)).toBe('92a009a9f0d4cab8720e820b5f642540');
  });

  it('refuses changed messages, changed signatures and wrong lengths', () => {
    const seed = randomBytes(32);
    const message = randomBytes(40);
    const signature = signEd25519(seed, message);
    const key = publicKeyOf(seed);
    expect(verifyEd25519(key, message, signature)).toBe(true);
    expect(verifyEd25519(key, randomBytes(40), signature)).toBe(false);
    expect(verifyEd25519(publicKeyOf(randomBytes(32)), message, signature)).toBe(false);
    expect(verifyEd25519(key, message, signature.subarray(1))).toBe(false);
    expect(verifyEd25519(key.subarray(1), message, signature)).toBe(false);
  });

  it('refuses small-order and non-canonical public keys', () => {
    const small = [
      '0000000000000000000000000000000000000000000000000000000000000000',
      '0100000000000000000000000000000000000000000000000000000000000000',
      '0100000000000000000000000000000000000000000000000000000000000080',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
      'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    ];
    for (const key of small) expect(isAcceptablePublicKey(fromHex(key))).toBe(false);
    expect(isAcceptablePublicKey(new Uint8Array(31))).toBe(false);
    expect(isAcceptablePublicKey(publicKeyOf(randomBytes(32)))).toBe(true);
  });
});
