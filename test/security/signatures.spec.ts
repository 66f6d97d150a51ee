/** tweetnacl verifies in milliseconds and takes malleable signatures: the product signs and verifies by node:crypto. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import nacl from 'tweetnacl';
import { publicKeyOf, randomBytes, signEd25519, verifyEd25519 } from '@regulon/shared/crypto';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const product = ['shared', 'client', 'coordinator', 'cli'].flatMap((workspace) =>
  readdirSync(join(repository, workspace, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
    .map((name) => `${workspace}/src/${name}`),
);
const textOf = (name: string): string => readFileSync(join(repository, name), 'utf8');

it('no product code imports the signatures of tweetnacl', () => {
  expect(product.length).toBeGreaterThan(300);
  const importers = product.filter((name) => /(from|import|require)\s*\(?\s*'tweetnacl/.test(textOf(name)));
  expect(importers).toEqual(['shared/src/crypto/box.ts']);
  // the one importer neither uses nor hands on what signs and verifies
  expect(textOf('shared/src/crypto/box.ts')).not.toMatch(/\bsign\b/);
});

it('a signature whose scalar was raised by the group order is refused here, and taken by tweetnacl', () => {
  const [seed, message] = [randomBytes(32), randomBytes(32)];
  const key = publicKeyOf(seed);
  const raised = raiseScalar(signEd25519(seed, message));
  expect(nacl.sign.detached.verify(message, raised, key)).toBe(true);
  expect(verifyEd25519(key, message, raised)).toBe(false);
});

/** S + L instead of S: the same equation, other bytes. */
function raiseScalar(signature: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const scalar = signature.slice(32).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n) + order;
  return signature.map((byte, k) => (k < 32 ? byte : Number((scalar >> BigInt(8 * (k - 32))) & 0xffn)));
}
