import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { lastStep } from '@regulon/shared/genomics';
import { brcaTable, tableOf } from '../../shared/src/genomics/golden-data.support.js';
import { sizeFactorOf } from '../../shared/src/genomics/normalize/size-factors.js';
import { agreement, pooledComponents } from '../../shared/src/genomics/pca/pooled-components.support.js';
import { largestDifference } from '../../shared/src/genomics/sums.support.js';
import { BRCA_NEEDS, type BrcaFederation, brcaPlan, openBrca, withBrca } from '../support/brca-clients.js';
import { specificationOf } from '../support/prepared-rows.js';

const MINUTES = 60_000;
const [GENES, COMPONENTS] = [300, 10];

describe('counts of five breast cancer clients, through their daemons', () => {
  let brca: BrcaFederation;
  beforeAll(async () => {
    if (withBrca !== it.skip) brca = await openBrca(GENES);
  }, 10 * MINUTES);
  afterAll(async () => {
    if (withBrca !== it.skip) await brca.close();
  });

  withBrca(
    `have the size factors of DESeq2 and the principal components of the pooled matrix ${BRCA_NEEDS}`,
    async () => {
      const document = await brca.completed(
        brcaPlan({
          prepare: [
            { step: 'size-factors' },
            { step: 'log2' },
            { step: 'top-variance', k: GENES },
            { step: 'pca', components: COMPONENTS },
          ],
          training: { rounds: 1, optimizer: { name: 'adam' } },
          evaluation: { split: 'none' },
          secureAggregation: { weightCap: 64 },
        }),
      );
      const spec = await specificationOf(brca.federation, document);
      const fit = lastStep(spec, 'size-factors');
      if (!fit) throw new Error('the run fitted no size factors');
      const golden = tableOf('golden/flimma_deseq2_sizeFactors.csv.gz');
      const byUnit = new Map(golden.rows.map((unit, i) => [unit, golden.values[i]?.[0] ?? NaN]));
      const wanted = [1, 2, 3, 4, 5].map((c) => brcaTable(c).columns.map((id) => byUnit.get(id) ?? NaN));
      const factors = brca.views.map((view) =>
        Array.from({ length: view.n }, (_, i) => sizeFactorOf(view, i, fit)),
      );
      expect(largestDifference(factors, wanted)).toBeLessThan(1e-6);
      const pooled = pooledComponents(brca.views, spec, GENES);
      expect(agreement(spec, pooled, COMPONENTS)).toBeGreaterThanOrEqual(1 - 1e-8);
    },
    20 * MINUTES,
  );
});
