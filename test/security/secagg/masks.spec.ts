import { describe, expect, it } from '@jest/globals';
import { hex, Keystream, sha256, u32, utf8 } from '@regulon/shared/crypto';
import type { SiteId } from '@regulon/shared/secagg';
import { pairMaskKey, selfMaskKey } from '../../../shared/src/secagg/mask-keys.js';
import { makeCohort } from '../../../shared/src/secagg/secagg.support.js';
import { isLong, TIMEOUT_MS } from '../support/effort.js';
import { LyingCoordinator, withManifest } from '../support/lying-coordinator.js';

// looked up once: billions of guesses are tried
const { imul } = Math;

/** Mulberry32, a good generator for games: word k follows from a 32-bit seed and k. */
function smallWord(seed: number, k: number): number {
  let t = (seed + imul(k + 1, 0x6d2b79f5)) | 0;
  t = imul(t ^ (t >>> 15), t | 1);
  t ^= t + imul(t ^ (t >>> 7), t | 61);
  return (t ^ (t >>> 14)) >>> 0;
}

/** χ² of the bytes of a stream against the uniform distribution, 255 degrees of freedom. */
function chiSquare(bytes: Uint8Array): number {
  const counts = new Float64Array(256);
  bytes.forEach((byte) => (counts[byte] = (counts[byte] ?? 0) + 1));
  const expected = bytes.length / 256;
  return counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
}
// 99.9 % of true streams lie between
const [LEAST, MOST] = [190, 331];

describe('B11: masks from a small seed', () => {
  it('B11 every mask key is 32 bytes and used once: over sites, pairs, attempts and rounds', () => {
    const all: SiteId[] = [10, 20, 30, 40, 50, 60];
    const keys = new Map<string, number>();
    const runs = [
      { round: 4, attempt: 1 },
      { round: 4, attempt: 2 },
      { round: 5, attempt: 0 },
    ];
    for (const place of runs) {
      const coordinator = new LyingCoordinator(withManifest(makeCohort(6), place)).joinAll();
      coordinator.deal(all);
      for (const id of all) {
        const { masks } = coordinator.site(id).client.maskPlan(coordinator.deliveries(id, all));
        expect(masks).toHaveLength(6);
        for (const { key } of masks) {
          expect(key).toHaveLength(32);
          keys.set(hex(key), (keys.get(hex(key)) ?? 0) + 1);
        }
      }
    }
    // a pair's key is known to its two sites, a site's own to nobody else
    const uses = [...keys.values()];
    expect(uses.filter((n) => n === 1)).toHaveLength(3 * 6);
    expect(uses.filter((n) => n === 2)).toHaveLength(3 * 15);
    expect(uses).toHaveLength(3 * (6 + 15));
  });

  it('B11 a key follows from everything that names its place: one other byte anywhere gives another key', () => {
    const [ctx, h2, secret] = ['ctx', 'h2', 'secret'].map((name) => sha256(utf8(name))) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const other = sha256(utf8('other'));
    const keys = [
      selfMaskKey(ctx, h2, 1, secret),
      selfMaskKey(other, h2, 1, secret),
      selfMaskKey(ctx, other, 1, secret),
      selfMaskKey(ctx, h2, 2, secret),
      selfMaskKey(ctx, h2, 1, other),
      pairMaskKey(ctx, h2, 1, 2, secret),
      pairMaskKey(other, h2, 1, 2, secret),
      pairMaskKey(ctx, other, 1, 2, secret),
      pairMaskKey(ctx, h2, 1, 3, secret),
      pairMaskKey(ctx, h2, 1, 2, other),
    ];
    expect(new Set(keys.map(hex)).size).toBe(keys.length);
    expect(hex(pairMaskKey(ctx, h2, 2, 1, secret))).toBe(hex(pairMaskKey(ctx, h2, 1, 2, secret)));
  });

  it('B11 the keystream passes χ², the low byte of a linear generator does not (control)', () => {
    for (let k = 0; k < 4; k++) {
      const stream = new Keystream(sha256(utf8('a mask key'), u32(k))).next(1 << 20);
      expect(chiSquare(stream)).toBeGreaterThan(LEAST);
      expect(chiSquare(stream)).toBeLessThan(MOST);
    }
    let state = 1;
    const linear = Uint8Array.from({ length: 1 << 20 }, () => {
      state = (imul(state, 1103515245) + 12345) >>> 0;
      return state;
    });
    expect(chiSquare(linear)).toBeLessThan(LEAST);
  });

  it(
    `B11 control: a mask of ${isLong ? 32 : 24} seed bits is found from two words that everybody knows`,
    () => {
      const size = 40;
      const vector = Uint32Array.from({ length: size }, (_, k) => imul(k + 1, 0x9e3779b1));
      // behind the vector stand the weight 2²⁰ of a statistic and the fault 0
      vector[size - 2] = 2 ** 20;
      vector[size - 1] = 0;
      const bits = isLong ? 32 : 24;
      const seed =
        sha256(utf8('the seed')).reduce((x, byte) => (imul(x, 256) + byte) >>> 0, 0) >>> (32 - bits);
      const upload = vector.map((q, k) => q + smallWord(seed, k));
      const weight = ((upload[size - 2] ?? 0) - 2 ** 20) >>> 0;
      const fault = upload[size - 1] ?? 0;
      const isMask = (guess: number): boolean =>
        smallWord(guess, size - 2) === weight && smallWord(guess, size - 1) === fault;
      let found = -1;
      // in two loops, so that the guesses stay 32-bit integers
      for (let high = 0; high < 2 ** (bits - 16) && found < 0; high++) {
        for (let low = 0; low < 2 ** 16; low++)
          if (isMask((high << 16) | low)) found = ((high << 16) | low) >>> 0;
      }
      expect(found).toBe(seed);
      expect(upload.map((y, k) => y - smallWord(found, k))).toEqual(vector);
    },
    TIMEOUT_MS,
  );
});
