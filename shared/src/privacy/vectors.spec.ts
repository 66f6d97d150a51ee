import { describe, expect, it } from '@jest/globals';
import { accountOf } from './account.js';
import { gaussianDelta, gaussianEpsilon, gaussianMu, gaussianNoise } from './exact-gaussian.js';
import { integerOrders, rdpOfInteger, roundedSensitivity } from './integer-mechanisms.js';
import { pldDelta, pldEpsilon } from './pld.js';
import { epsilonFromRdp, rdpOfSampledGaussian, rdpOrders } from './rdp.js';
import { noiseFor } from './calibrate.js';

/** |actual/expected − 1| ≤ tolerance */
function expectRelative(actual: number | null, expected: number, tolerance: number): void {
  expect(actual).not.toBeNull();
  expect(Math.abs(Number(actual) / expected - 1)).toBeLessThanOrEqual(tolerance);
}

const rdp = (q: number, z: number, steps: number, delta: number, orders = rdpOrders): number =>
  epsilonFromRdp((order) => steps * rdpOfSampledGaussian(q, z, order), delta, orders).epsilon;

/** Opacus' default orders: 1.1 … 10.9, 12 … 63. */
const opacusOrders = rdpOrders.filter((order) => order !== 11 && order < 100);
/** Tolerances of RDP: sign-correct values; libraries that add |C(α, i)| at fractional orders. */
const [signed, unsigned] = [1e-6, 1e-3];

describe('published values of other libraries', () => {
  it('Opacus: RDP of 2,250 steps, and its numerical accountant within its own error', () => {
    expectRelative(rdp(0.04, 1.5, 2250, 1e-5, opacusOrders), 7.32911117143, signed);
    expectRelative(pldEpsilon([{ q: 0.04, z: 1.5, steps: 2250 }], 1e-5), 6.768787, 1e-6);
    // theirs is an upper estimate: ε may be 0.01 too large, and their error of δ adds a little
    const excess = 6.777395712150674 - pldEpsilon([{ q: 0.04, z: 1.5, steps: 2249 }], 1e-5);
    expect(excess).toBeGreaterThan(0);
    expect(excess).toBeLessThan(0.011);
  });

  it('Opacus: noise for ε = 8, within the 0.01 of ε that it searches to', () => {
    const target = { epsilon: 8, delta: 1e-5, q: 0.04 };
    const noise = noiseFor({ ...target, steps: 2250 });
    expect(Math.abs(noise.rdp - 1.416)).toBeLessThan(5e-4);
    expect(Math.abs(noise.pld - 1.34765625)).toBeLessThan(2e-3);
    expectRelative(pldEpsilon([{ q: 0.04, z: noise.pld, steps: 2250 }], 1e-5), 8, 1e-4);
    expectRelative(rdp(0.04, 1.3562, 2000, 1e-5), 8, 1e-3);
    expect(Math.abs(pldEpsilon([{ q: 0.04, z: 1.2915, steps: 2000 }], 1e-5) - 8)).toBeLessThan(0.02);
  });

  it.each([
    [1.5, 6.50070897e-4, signed],
    [2.5, 1.0854871e-3, 1e-4],
    [5, 2.18075656e-3, 1e-4],
    [50, 2.38460375e-2, 1e-4],
    [100, 167.416308, 1e-4],
  ])('Google: RDP of order %d after 50 steps', (order, expected, tolerance) => {
    expectRelative(50 * rdpOfSampledGaussian(0.01, 2.5, order), expected, tolerance);
  });

  it('Google: RDP on all units, a constant divergence, dense orders', () => {
    expectRelative(rdpOfSampledGaussian(1, 2.71828, 3.14159), 0.212584272222, 1e-6);
    const constant = epsilonFromRdp(() => 1.1, 1e-5, integerOrders.slice(0, 31));
    expectRelative(constant.epsilon, 1.32783806176, 1e-9);
    expect(constant.order).toBe(32);
    const dense = Array.from({ length: 20_000 }, (_, k) => 1.01 + k / 100);
    expectRelative(rdp(1, 4.530877117, 1, 1e-6, dense), 1, 1e-6);
  });

  it('Google: δ of three steps', () => {
    expectRelative(gaussianDelta(1, 1), 0.126936737507, 1e-6);
    expectRelative(pldDelta([{ q: 1, z: Math.sqrt(3), steps: 3 }], 1), 0.126936737507, 1e-6);
    expect(Math.abs(pldDelta([{ q: 0.2, z: 0.5, steps: 3 }], 1) - 0.15594)).toBeLessThan(1e-3);
  });

  it.each([
    [150 / 60_000, 1.3, 6000, 1e-5, 0.7242234026109595, null],
    [1e-3, 1, 30_000, 1e-7, 1.41549884954, null],
    [1, 0.7, 2, 1e-5, 10.8602036, 10.1224946],
    [0.01, 0.7, 120, 1e-5, 3.2391922, 2.4612381],
  ])('TF-Privacy: q %d, σ %d, %d steps, δ %d', (q, z, steps, delta, byRdp, byPld) => {
    expectRelative(rdp(q, z, steps, delta), byRdp, 1e-7);
    if (byPld !== null) expectRelative(pldEpsilon([{ q, z, steps }], delta), byPld, 1e-7);
  });
});

describe('frozen table', () => {
  it.each([
    [1, 1, 1, 1e-5, 4.7285070672, 4.3771781, 4.3771780957],
    [1, 2, 1, 1e-5, 2.165715659, 1.99309141, 1.9930914044],
    [1, 5, 10, 1e-5, 2.8136532471, 2.59438339, 2.5943833805],
    [1, 8, 50, 1e-5, 4.1056616424, 3.79653573, 3.7965357229],
    [1, 10, 100, 1e-5, 4.7285070672, 4.3771781, 4.3771780957],
    [1, 3, 30, 1e-3, 7.4857630836, 6.72885238, 6.7288523735],
    [1, 5, 30, 1e-3, 3.9528049002, 3.51454985, 3.5145498432],
    [1, 8, 100, 1e-3, 4.649404, null, 4.145447],
    [1, 20, 200, 1e-3, 2.330461, null, 2.053335],
  ])('all units: q %d, z %d, %d steps, δ %d', (q, z, steps, delta, byRdp, byPld, exact) => {
    const { epsilon } = accountOf([{ mechanism: 'gaussian', q, z, steps }], delta);
    expectRelative(epsilon.rdp, byRdp, signed);
    // six decimals are what is published of the last two rows
    expectRelative(epsilon.exact, exact, byPld === null ? 2.5e-7 : 1e-9);
    expectRelative(epsilon.pld, byPld ?? exact, 1e-6);
  });

  it.each([
    [0.5, 2, 20, 1e-5, 6.2290611, unsigned, 5.68945779],
    [0.2, 1, 50, 1e-5, 11.2864374, signed, 10.12795142],
    [0.2, 2, 100, 1e-5, 5.4987637, unsigned, 5.02317979],
    [0.1, 1, 100, 1e-5, 7.9038502, unsigned, 7.04660288],
    [0.1, 2, 100, 1e-6, 2.9141738, unsigned, 2.67503574],
    [0.01, 1, 1000, 1e-5, 2.1013665, unsigned, 1.82824365],
    [0.01, 1.1, 10_000, 1e-5, 5.6320107, unsigned, 5.19262012],
    [0.01, 2.5, 50, 1e-5, 0.1447863793, signed, 0.09945654],
    [0.001, 0.8, 10_000, 1e-6, 1.7036253, signed, 0.94732386],
    [256 / 60_000, 1.3, 14_063, 1e-5, 1.9890699, signed, 1.82372581],
  ])('sampled: q %d, z %d, %d steps, δ %d', (q, z, steps, delta, byRdp, tolerance, byPld) => {
    const { epsilon, reported } = accountOf([{ mechanism: 'gaussian', q, z, steps }], delta);
    expectRelative(epsilon.rdp, byRdp, tolerance);
    expectRelative(epsilon.pld, byPld, 1e-6);
    expect(epsilon.exact).toBeNull();
    expect(reported).toEqual({ epsilon: epsilon.pld, by: 'pld' });
  });
});

describe('one step, sign-correct RDP', () => {
  it.each([
    [0.01, 2.5, 1.5, 1.3001417948937439e-5],
    [0.01, 2.5, 2.5, 2.1708361136537253e-5],
    [0.01, 2.5, 5, 4.361513124615523e-5],
    [0.01, 2.5, 50, 4.7692075077411636e-4],
    [0.01, 2.5, 100, 3.3483261509683655],
    [0.04, 1.5, 1.5, 6.631116940563884e-4],
    [0.04, 1.5, 2, 8.94996966873696e-4],
    [0.04, 1.5, 2.5, 1.1328034664240456e-3],
    [0.04, 1.5, 3.9, 1.8332021995636277e-3],
    [0.04, 1.5, 5, 2.42392469237656e-3],
    [0.1, 1, 1.25, 0.009408440726396218],
    [0.1, 1, 2, 0.017036863236176647],
    [0.1, 1, 3, 0.03171230030337652],
    [0.1, 1, 4.5, 0.08420910671682878],
  ])('q %d, σ %d, order %d', (q, z, order, expected) => {
    expectRelative(rdpOfSampledGaussian(q, z, order), expected, 1e-8);
  });
});

describe('calibration of one Gaussian mechanism', () => {
  it.each([
    [1, 1e-5, 3.7306316348],
    [2, 1e-5, 1.9938124456],
    [8, 1e-5, 0.6002290722],
    [1, 1e-6, 4.2246788893],
    [0.5, 1e-6, 8.0576184807],
  ])('(%d, %d)', (epsilon, delta, z) => expectRelative(gaussianNoise(epsilon, delta), z, 1e-9));

  it('composes different noises exactly', () => {
    const events = [8, 8, 10, 12].map((z) => ({ z, steps: 1 }));
    expectRelative(gaussianEpsilon(gaussianMu(events), 1e-5), 0.8033889533, 1e-9);
  });
});

describe('integer mechanisms', () => {
  it.each([
    [1, 100, 10, 1000, 1e4, 10, 110.48163110385033, 110.48253403236444, 1e-12],
    [1e-3, 0.5, 20, 1, 1e5, 50, 20.19406318828802, 20.194066714694383, 1e-12],
    [1e-4, 1, 10, 1, 1e6, 30, 9.103491628831662, 9.103491634545925, 1e-12],
    // published with two decimals
    [1, 0.3, 10, 10, 1e3, 1, 23305.76, 1054.05, 3e-6],
  ])(
    'γ %d, σ %d, n %d, Δ %d, d %d, T %d',
    (gamma, sigma, contributors, norm, dimensions, T, gauss, skellam, tolerance) => {
      const sensitivity = roundedSensitivity(norm / gamma, dimensions);
      const epsilonOf = (mechanism: 'discrete-gaussian' | 'skellam'): number => {
        const event = { mechanism, localSigma: sigma / gamma, contributors, sensitivity, dimensions };
        return epsilonFromRdp((order) => T * rdpOfInteger(event, order), 1e-5, integerOrders).epsilon;
      };
      expectRelative(epsilonOf('discrete-gaussian'), gauss, tolerance);
      expectRelative(epsilonOf('skellam'), skellam, tolerance);
    },
  );

  it('bounds a rounded vector', () => {
    expectRelative(roundedSensitivity(100, 1000), 101.81262882521423, 1e-15);
    expectRelative(roundedSensitivity(1e5, 1e7), 100013.00705977614, 1e-15);
  });
});
