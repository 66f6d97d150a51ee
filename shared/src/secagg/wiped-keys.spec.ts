import { expect, it, jest } from '@jest/globals';
import type * as Box from '../crypto/box.js';

it('wipes every shared key of a pair once its envelope or mask key is made', async () => {
  const real: typeof Box = await import('../crypto/box.js');
  const shared: Uint8Array[] = [];
  const boxBefore: typeof Box.boxBefore = (publicKey, secretKey) => {
    const key = real.boxBefore(publicKey, secretKey);
    // a scalar of equal bytes is no secret: it only shows whether a point is of low order
    if (new Set(secretKey).size > 1) shared.push(key);
    return key;
  };
  jest.resetModules();
  jest.unstable_mockModule('../crypto/box.js', () => ({ ...real, boxBefore }));
  const { makeCohort, runAttempt } = await import('./secagg.support.js');
  jest.unstable_unmockModule('../crypto/box.js');
  runAttempt(makeCohort(5, { d: 3 }), { r2: [50] });
  // five sites seal for four others each and open as many; five derive four pair masks, and so does the unmasking
  expect(shared).toHaveLength(5 * 4 + 5 * 4 + 5 * 4 + 4);
  for (const key of shared) expect([...key]).toEqual(Array(32).fill(0));
});
