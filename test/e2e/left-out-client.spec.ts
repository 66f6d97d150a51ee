import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { reportPage, shownPreparations } from '@regulon/cli/run-report';
import { fitLoneSite, scoreLinear, transform, type UnitsView } from '@regulon/shared/genomics';
import { statisticsSteps } from '../../shared/src/genomics/statistics-steps.js';
import { fitOver } from '../../shared/src/genomics/sums.support.js';
import {
  BRCA_CLIENTS,
  BRCA_NEEDS,
  type BrcaFederation,
  brcaPlan,
  brcaPreparation,
  openBrca,
  withBrca,
} from '../support/brca-clients.js';

const MINUTES = 60_000;
const GENES = 2000;

describe('the breast cancer subtypes of five clients, through their daemons', () => {
  let brca: BrcaFederation;
  beforeAll(async () => {
    if (withBrca !== it.skip) brca = await openBrca(GENES);
  }, 10 * MINUTES);
  afterAll(async () => {
    if (withBrca !== it.skip) await brca.close();
  });

  withBrca(
    `logistic regression of a client that is left out is .855 right, and .05 better than what clients do alone; the report draws the clients beside each other ${BRCA_NEEDS}`,
    async () => {
      const document = await brca.completed(
        brcaPlan({
          ...{ name: 'logistic-lco', prepare: brcaPreparation(GENES) },
          training: { rounds: 1, optimizer: { name: 'adam' } },
          evaluation: {
            ...{ split: 'leave-site-out', finalModel: false },
            baselines: [{ name: 'logistic', c: 0.01, rounds: 10 }],
          },
          secureAggregation: { weightCap: 64 },
        }),
      );
      const [logistic] = document.result?.baselines ?? [];
      expect(logistic?.metrics.count).toBe(152);
      const accuracy = logistic?.metrics.accuracy ?? NaN;
      expect(Math.abs(accuracy - 0.855)).toBeLessThanOrEqual(0.01);
      // what single clients are like may be drawn: their data are public, and each of them was left out once
      const shown = await shownPreparations(brca.federation.api, document);
      expect(shown.sites?.map(({ site, units }) => [site, units])).toEqual(
        BRCA_CLIENTS.map((name, site) => [name, brca.views[site]?.n]),
      );
      expect(reportPage(document, shown)).toMatch(/Mean profiles of 5 sites over \d+ genes/);
      const alone = BRCA_CLIENTS.map((_, site) => loneAccuracy(site));
      expect(accuracy).toBeGreaterThanOrEqual(alone.reduce((a, b) => a + b, 0) / alone.length + 0.05);
    },
    20 * MINUTES,
  );

  /** Of a client's own preparation and fit on all others. */
  const loneAccuracy = (site: number): number => {
    const own = brca.views[site] as UnitsView;
    const options = { genes: own.genes, classes: 3, weightCap: 64, fractionBits: 32, uMin: 1, minUnits: 1 };
    const steps = statisticsSteps(brcaPreparation(GENES), { ...options, isPublic: true });
    const spec = fitOver([own], steps, 'clear');
    const unitsOf = (view: UnitsView) => ({
      ...{ n: view.n, features: GENES, classes: 3, labels: view.labels ?? new Int32Array(0) },
      x: Float64Array.from(transform(view, spec).features),
    });
    const weights = fitLoneSite(unitsOf(own), 0.01);
    const [right, all] = brca.views
      .filter((_, other) => other !== site)
      .map((view) => [scoreLinear(weights, unitsOf(view)).confusion, view.n] as const)
      .reduce(
        ([hits, n], [confusion, own]) => [
          hits + (confusion[0] ?? 0) + (confusion[4] ?? 0) + (confusion[8] ?? 0),
          n + own,
        ],
        [0, 0],
      );
    return (right ?? NaN) / (all ?? NaN);
  };
});
