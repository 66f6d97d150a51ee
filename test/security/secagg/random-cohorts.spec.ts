import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hex, randomBytes } from '@regulon/shared/crypto';
import {
  decodeMean,
  decodeSigned32,
  foldAndUnmaskTile,
  jsKernel,
  type Manifest,
  MaskEngine,
  quantiseTile,
  Rounding,
  type SiteId,
  thresholds,
} from '@regulon/shared/secagg';
import {
  type AttemptState,
  makeCohort,
  plainSum,
  runUntil,
  type TestCohort,
} from '../../../shared/src/secagg/secagg.support.js';
import { tally } from '../../support/tally.js';
import { effort, TIMEOUT_MS } from '../support/effort.js';
import { LyingCoordinator } from '../support/lying-coordinator.js';
import { outcomeOf } from '../support/refused.js';
import { Spoils } from '../support/spoils.js';

const wasm = new MaskEngine();
const js = new MaskEngine(jsKernel());

/** A plan over the first n of M members; the last `silent` of them contribute nothing. */
function planOf(n: number, M: number, silent: number, change: Partial<Manifest> = {}): TestCohort {
  const ids = Array.from({ length: n }, (_, k) => 10 * (k + 1));
  const roles = ids.map((id, k) => ({ id, role: k >= n - silent ? (1 as const) : (0 as const) }));
  const nMin = n < 5 ? 3 : 5;
  const gammaNum = n < 5 ? 0 : 1;
  const cohort = makeCohort(M, { N: n, roles, nMin, gammaNum, ...change });
  return { ...cohort, seeds: new Map([...cohort.seeds].filter(([id]) => ids.includes(id))) };
}

/** The sum of an attempt, unmasked in tiles that end at these bytes. */
function sumIn({ server, uploads }: AttemptState, cuts: readonly number[], engine: MaskEngine): string {
  const { maskKeys } = server.unmaskKeys();
  const { ringBits } = server.manifest;
  const spools = server.u3.map((id) => uploads.get(id) ?? new Uint8Array());
  const sum = new Uint8Array(spools[0]?.length ?? 0);
  const ends = [...new Set([...cuts, sum.length])]
    .filter((end) => end > 0 && end <= sum.length)
    .sort((a, b) => a - b);
  ends.forEach((end, k) => {
    const byteOffset = ends[k - 1] ?? 0;
    const tiles = spools.map((bytes) => bytes.subarray(byteOffset, end));
    foldAndUnmaskTile(
      sum.subarray(byteOffset, end),
      { spools: tiles, masks: maskKeys, byteOffset, ringBits },
      engine,
    );
  });
  return hex(sum);
}

const plain = ({ server, vectors }: AttemptState): string =>
  hex(
    plainSum(
      server.u3.map((id) => vectors.get(id) ?? new Uint8Array()),
      server.manifest.ringBits,
    ),
  );

/** Plans over this many sites with losses at some of the stages. */
const attempts = (least: number, most: number) =>
  fc.integer({ min: least, max: most }).chain((n) => {
    const loss = fc.array(
      fc.integer({ min: 1, max: n }).map((k) => 10 * k),
      { maxLength: 1 + Math.floor(n / 6) },
    );
    return fc.record({
      n: fc.constant(n),
      more: fc.integer({ min: 0, max: Math.min(3, 255 - n) }),
      silent: fc.integer({ min: 0, max: 1 }),
      wide: fc.boolean(),
      cuts: fc.array(
        fc.integer({ min: 1, max: 30 }).map((k) => 16 * k),
        { maxLength: 4 },
      ),
      losses: fc.record({ r0: loss, r1: loss, r2: loss, upload: loss, r3: loss, r4: loss }),
      keep: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
    });
  });

/** Runs of random attempts: each gives the exact sum or a named end. @returns how often each end came */
function endingsOf(cases: ReturnType<typeof attempts>, numRuns: number): Map<string, number> {
  const endings = new Map<string, number>();
  fc.assert(
    fc.property(cases, ({ n, more, silent, wide, cuts, losses, keep }) => {
      const ring = wide ? ({ ringBits: 64, fractionBits: 24, Q: 1, C: 1e5, purpose: 1 } as const) : {};
      const cohort = planOf(n, n + more, silent, { d: 61, ...ring });
      const stages = Object.entries(losses).filter((_, k) => keep[k]);
      let attempt: AttemptState | undefined;
      const end = outcomeOf(() => {
        attempt = runUntil(cohort, 'r4', Object.fromEntries(stages), wasm);
        attempt.server.unmaskKeys();
      });
      endings.set(end, (endings.get(end) ?? 0) + 1);
      if (end !== 'accepted' || !attempt) {
        expect(['E_COHORT', 'E_CONSISTENCY', 'E_STATE', 'E_U3']).toContain(end);
        return;
      }
      expect(sumIn(attempt, cuts, wasm)).toBe(plain(attempt));
      expect(sumIn(attempt, [], js)).toBe(plain(attempt));
    }),
    // shrinking a cohort of 255 sites takes hours; the seed brings the same one back
    { numRuns, seed: 255, endOnFailure: true },
  );
  endings.forEach((times, end) => tally('random cohorts', end === 'accepted' ? 'exact sum' : end, times));
  return endings;
}

describe('random cohorts', () => {
  it('thresholds of every plan, roster and cohort up to 255: no two views, three honest sites, no smaller quorum', () => {
    const step = effort(7, 1);
    let plans = 0;
    for (let M = 3; M <= 255; M += step) {
      for (const [gammaNum, gammaDen] of [
        [0, 1],
        [1, 4],
        [1, 3],
      ] as const) {
        for (let N = 3; N <= M; N += step) {
          for (let n = 3; n <= N; n += step) {
            const { c, t, uMin, h, quorum } = thresholds({ N, M, n, gammaNum, gammaDen, strict: true });
            const holds = 2 * t > n + c && 2 * quorum > N + c && uMin >= t && h >= 3 && uMin - c === h;
            if (!holds) throw new Error(`N ${N}, M ${M}, n ${n}, γ ${gammaNum}/${gammaDen}`);
            plans += 1;
          }
        }
      }
    }
    tally('plans whose thresholds hold', 'plan, roster, cohort and γ', plans);
  });

  it(
    'give the sum of the survivors exactly, in both rings, both kernels and any tiles, or a named end',
    () => {
      const endings = endingsOf(attempts(3, effort(14, 48)), effort(25, 200));
      expect(endings.get('accepted')).toBeGreaterThan(3);
      expect(endings.get('E_COHORT')).toBeGreaterThan(3);
    },
    TIMEOUT_MS,
  );

  it(
    'do so with many sites too',
    () => {
      const endings = endingsOf(attempts(effort(15, 49), effort(40, 255)), effort(3, 4));
      expect(endings.get('accepted')).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it('Σ of what is decoded is Σ of what was encoded: quantised vectors, weights and extras', () => {
    const ids: SiteId[] = [10, 20, 30, 40, 50];
    const [d, Q, C] = [24, 2 ** 20, 1.5];
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (salt) => {
        const coordinator = new LyingCoordinator(makeCohort(5, { d, Q, C }));
        const [total, plainSums] = [new Float64Array(d), new Float64Array(d)];
        let weights = 0;
        for (const id of ids) {
          const x = Float32Array.from({ length: d }, (_, k) => Math.sin(salt + id * k) / 10);
          const words = new Int32Array(d + 2);
          const rounding = new Rounding(randomBytes(32));
          const weight = ((salt + id) % 100) / 128 + 2 ** -7;
          quantiseTile(x, { weightScale: weight, C, Q, rounding }, words.subarray(0, d));
          words[d] = Math.floor(weight * 2 ** 20);
          words[d + 1] = id % 20 === 0 ? 1 : 0;
          weights += weight;
          x.forEach((value, k) => (plainSums[k] = (plainSums[k] ?? 0) + weight * value));
          words.subarray(0, d).forEach((q, k) => (total[k] = (total[k] ?? 0) + q));
          coordinator.join(id, new Uint8Array(words.buffer));
        }
        const sum = new Spoils(coordinator, ids, 4).take(...coordinator.run(ids)).sumOf(ids);
        const decoded = decodeSigned32(sum);
        expect([...decoded.subarray(0, d)]).toEqual([...total]);
        expect((decoded[d] ?? 0) / 2 ** 20).toBe(weights);
        expect(decoded[d + 1]).toBe(2);
        // and the mean is that of the plain numbers, to one quantum of each site
        const mean = decodeMean(decoded.subarray(0, d), { Q, C, W: weights });
        mean.forEach((x, k) => {
          const exact = (plainSums[k] ?? 0) / weights;
          expect(Math.abs(x - exact)).toBeLessThanOrEqual((5 * C) / (Q * weights));
        });
        tally('random cohorts', 'exact mean');
      }),
      { numRuns: effort(5, 100), seed: 7 },
    );
  });

  const most = effort(40, 255);
  it(
    `of ${most} sites give the exact sum with a loss in every stage`,
    () => {
      const losses = { r0: [10], r1: [20], r2: [40], upload: [50], r3: [60], r4: [70] };
      const attempt = runUntil(planOf(most, most, 1, { d: 9 }), 'r4', losses, wasm);
      expect(sumIn(attempt, [16], wasm)).toBe(plain(attempt));
      expect(attempt.server.u3).toHaveLength(most - 4);
      tally('random cohorts', `exact sum of ${most}`);
    },
    TIMEOUT_MS,
  );
});
