import { describe, expect, it } from '@jest/globals';
import { concordanceOf, concordanceSums, type ConcordanceGrid } from '../scores/concordance.js';
import { type Path, sumOf } from '../sums.support.js';
import type { SummedRound } from '../summed-round.js';
import { coxRound, stratifiedCoxRound } from './cox.js';
import { discreteTimeRound, intervalEvents, verifyIntervals } from './discrete-time.js';
import { newtonStart, type NewtonState } from './newton.js';
import type { SurvivalUnits } from './survival-units.js';

/** `cox15`: time, event, x1, x2 of three sites; made up. */
const COX15 = [
  [
    [5, 1, 0.5, 1],
    [8, 1, -1.2, 0],
    [8, 0, 0.3, 0],
    [12, 1, 1.1, 1],
    [16, 0, -0.7, 1],
  ],
  [
    [3, 1, 1.9, 0],
    [8, 1, 0.4, 1],
    [11, 0, -0.2, 1],
    [16, 1, -1.5, 0],
    [20, 0, -0.9, 0],
  ],
  [
    [2, 1, 1.4, 1],
    [5, 0, 0.8, 0],
    [9, 1, 0.1, 0],
    [14, 1, -0.6, 1],
    [20, 0, -1.1, 0],
  ],
];

const sites: SurvivalUnits[] = COX15.map((rows) => ({
  time: Float64Array.from(rows, (row) => row[0] ?? NaN),
  event: Uint8Array.from(rows, (row) => row[1] ?? 0),
  x: Float64Array.from(rows.flatMap((row) => row.slice(2))),
  columns: 2,
}));
const EVENTS = [2, 3, 5, 8, 9, 12, 14, 16];
const RING = { fractionBits: 36, bound: 2 ** 20 };
const EDGES = [4, 8, 12, 20];

function fit(
  round: SummedRound<SurvivalUnits, NewtonState>,
  path: Path,
  columns = 2,
  order = sites,
): NewtonState {
  let state = newtonStart(columns);
  for (let k = 0; k < 12; k++) state = round.fit(state, sumOf(round, order, state, path), order.length);
  return state;
}

describe('survival on cox15 (R package survival 3.5.3)', () => {
  const anchors: [string, SummedRound<SurvivalUnits, NewtonState>, number[], number][] = [
    ['Breslow', coxRound(EVENTS, 'breslow', RING), [1.20110595515272, -0.126810449747291], -15.9233707121399],
    ['Efron', coxRound(EVENTS, 'efron', RING), [1.19633770385822, -0.114522495192454], -15.8346365878269],
    [
      'stratified by site',
      stratifiedCoxRound('efron', RING),
      [1.0764945814156, 0.0328669855807746],
      -8.25107462231551,
    ],
  ];
  it.each(anchors)(
    '%s: coefficients and log-likelihood, clear and secure, sites in any order',
    (_, round, beta, logLikelihood) => {
      for (const [path, tolerance] of [
        ['clear', 1e-9],
        ['secure', 1e-6],
      ] as const) {
        for (const order of [sites, [...sites].reverse()]) {
          const found = fit(round, path, 2, order);
          beta.forEach((x, j) => expect(Math.abs((found.beta[j] ?? NaN) - x)).toBeLessThan(tolerance));
          expect(Math.abs(found.logLikelihood - logLikelihood)).toBeLessThan(tolerance);
        }
      }
    },
  );

  it('hazards in intervals: coefficients, intercepts and log-likelihood', () => {
    const wanted = [-2.69320974, -1.1872808, -0.52760441, 1.21433201, 1.66826244811762, -0.118948979377574];
    for (const path of ['clear', 'secure'] as const) {
      const found = fit(discreteTimeRound(EDGES, RING), path, 6);
      wanted.forEach((x, j) => expect(Math.abs((found.beta[j] ?? NaN) - x)).toBeLessThan(1e-6));
      expect(Math.abs(found.logLikelihood + 16.6422644094879)).toBeLessThan(1e-6);
    }
  });

  it('are no mean of fits of single sites: already the first Newton step differs', () => {
    const round = stratifiedCoxRound('efron', RING);
    const step = (of: readonly SurvivalUnits[]): Float64Array =>
      round.fit(newtonStart(2), sumOf(round, of, newtonStart(2), 'clear'), of.length).beta;
    const together = step(sites);
    const alone = sites.map((site) => step([site]));
    const mean = together.map((_, j) => alone.reduce((sum, beta) => sum + (beta[j] ?? 0), 0) / sites.length);
    expect(Math.max(...together.map((x, j) => Math.abs(x - (mean[j] ?? NaN))))).toBeGreaterThan(0.05);
  });

  it('refuse intervals of fewer than five events', () => {
    const events = sites
      .map((site) => intervalEvents(site, EDGES))
      .reduce((a, b) => a.map((x, k) => x + (b[k] ?? 0)));
    expect([...events]).toEqual([2, 3, 2, 2]);
    expect(() => verifyIntervals(events)).toThrow('interval 1 holds fewer than 5 events');
    expect(() => verifyIntervals([5, 9])).not.toThrow();
  });
});

describe('C-index of x1 on cox15', () => {
  const risked = sites.map(({ time, event, x }) => ({ time, event, risk: x.filter((_, k) => k % 2 === 0) }));
  const summed = (grid: ConcordanceGrid): Float64Array =>
    risked.map((units) => concordanceSums(units, grid)).reduce((a, b) => a.map((v, k) => v + (b[k] ?? 0)));
  const times = [...new Set(sites.flatMap(({ time }) => [...time]))].sort((a, b) => a - b);

  it('is 60/76 over all pairs and 18/23 within sites when the grid tells all apart', () => {
    const risks = [...new Set(risked.flatMap(({ risk }) => [...risk]))].sort((a, b) => a - b);
    const found = concordanceOf(summed({ times, risks }), { times, risks });
    expect(found.overall?.value).toBeCloseTo(60 / 76, 9);
    expect(found.overall?.bound).toBe(0);
    expect(found.withinSites).toBeCloseTo(18 / 23, 9);
  });

  it('lies within its bound on a coarse grid of risk', () => {
    const grid = { times, risks: [-1, 0, 1] };
    const { overall, withinSites } = concordanceOf(summed(grid), grid);
    expect(overall?.bound).toBeGreaterThan(0);
    expect(Math.abs((overall?.value ?? NaN) - 60 / 76)).toBeLessThanOrEqual(overall?.bound ?? 0);
    expect(withinSites).toBeCloseTo(18 / 23, 9);
  });
});
