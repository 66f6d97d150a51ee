import { describe, expect, it } from '@jest/globals';
import { findingOf } from '../findings/finding.js';
import { brcaTable, siteOf, withData } from '../golden-data.support.js';
import { requireStep } from '../fitted-steps.js';
import { decodeSpecification, encodeSpecification } from '../specification-codec.js';
import type { StatisticsOptions } from '../statistics-step.js';
import { statisticsSteps } from '../statistics-steps.js';
import { fitOver } from '../sums.support.js';
import type { UnitsView } from '../view.js';

const options = (genes: number, more: Partial<StatisticsOptions> = {}): StatisticsOptions => ({
  ...{ genes, classes: 0, weightCap: 1000, fractionBits: 32, uMin: 1, minUnits: 1, ...more },
});
const stepsOf = (given: StatisticsOptions) => statisticsSteps([{ step: 'quality' }], given);

/** Libraries of 10³ to 10⁸; the site's number decides how many genes are zero. */
const site = (zeros: number, n = 40): UnitsView => ({
  ...{ n, genes: 10, classes: 0 },
  values: Float64Array.from({ length: 10 * n }, (_, k) =>
    k % 10 < zeros ? 0 : 10 ** (2 + (5 * Math.floor(k / 10)) / n),
  ),
});

describe('quality of the units (P01)', () => {
  it('sums the histograms of all units, whatever the order of the sites', () => {
    const sites = [site(1), site(4), site(6)];
    const steps = stepsOf(options(10, { isPublic: true }));
    const fitted = requireStep(fitOver(sites, steps, 'secure'), 'quality');
    expect(fitted).toEqual(requireStep(fitOver([...sites].reverse(), steps, 'clear'), 'quality'));
    const detected = new Array<number>(60).fill(0);
    [0.9, 0.6, 0.4].forEach((share) => (detected[Math.floor(60 * share)] = 40));
    expect([...fitted.detected]).toEqual(detected);
    expect(fitted.missing[0]).toBe(120);
    const library = new Array<number>(60).fill(0);
    for (const view of sites)
      for (let unit = 0; unit < view.n; unit++) {
        const sum = view.values.subarray(10 * unit, 10 * unit + 10).reduce((a, b) => a + b, 0);
        const cell = Math.min(59, Math.max(0, Math.floor(((Math.log10(sum) - 3) / 6) * 60)));
        library[cell] = (library[cell] ?? 0) + 1;
      }
    expect([...fitted.library]).toEqual(library);
  });

  it('has few cells and none of fewer than 5 units outside public runs; a site alone would have other cells', () => {
    const thin: UnitsView = { ...site(9, 4) };
    const sites = [site(1, 200), site(4, 200), thin];
    const fitted = requireStep(fitOver(sites, stepsOf(options(10)), 'secure'), 'quality');
    expect(fitted.detected).toHaveLength(20);
    expect([...fitted.detected].filter((n) => n > 0)).toEqual([200, 200]);
    expect(
      requireStep(fitOver([site(1, 200)], stepsOf(options(10)), 'clear'), 'quality').detected,
    ).toHaveLength(10);
  });

  it('counts missing values, and no library where data are no counts', () => {
    const gaps = site(0);
    gaps.values.forEach((_, k) => k % 10 < 3 && (gaps.values[k] = NaN));
    const spec = fitOver([gaps, gaps], stepsOf(options(10, { scale: 'log-ratio', isPublic: true })), 'clear');
    const fitted = requireStep(spec, 'quality');
    expect([fitted.library.length, fitted.missing[18], fitted.detected[42]]).toEqual([0, 80, 80]);
    expect(findingOf(spec, 'quality')).toMatchObject({ step: 'quality', level: 'notice' });
    expect(decodeSpecification(encodeSpecification(spec))).toEqual(spec);
  });

  withData('of the breast cancer clients is quiet: libraries of about 10^7.7 (needs the shared data)', () => {
    const sites = [1, 2, 3, 4, 5].map((client) => {
      const table = brcaTable(client);
      return siteOf(table, [...table.columns.keys()]);
    });
    const spec = fitOver(sites, stepsOf(options(20_531, { isPublic: true })), 'secure');
    const finding = findingOf(spec, 'quality');
    expect(finding?.level).toBe('quiet');
    expect(finding?.values['units']).toBe(152);
    expect(finding?.text).toMatch(
      /^quality: middle half of 152 units: libraries of 10\^7\.\d to 10\^7\.\d; detected/,
    );
  });
});
