import { brcaTable, siteOf } from '../golden-data.support.js';
import { statisticsSteps } from '../statistics-steps.js';
import { fitOver } from '../sums.support.js';
import { transform } from '../transform.js';
import type { LabelledUnits } from './softmax-sums.js';

/**
 * The five breast cancer clients, each left out once: classes Basal, LumA, LumB; log2(CPM + 1), the most variable genes,
 * z-scores, prepared on the training clients. Needs the shared data.
 */
export function* brcaArms(features: number): Generator<{ training: LabelledUnits[]; held: LabelledUnits }> {
  const views = [1, 2, 3, 4, 5].map((client) => {
    const table = brcaTable(client);
    const labels = table.columns.map((unit) => {
      const row = table.design.get(unit);
      return row?.get('Basal') === 1 ? 0 : row?.get('is_LumA') === 1 ? 1 : 2;
    });
    return siteOf(table, [...table.columns.keys()], { labels: Int32Array.from(labels), classes: 3 });
  });
  const genes = views[0]?.genes ?? 0;
  const steps = statisticsSteps(
    [{ step: 'log2-cpm' }, { step: 'top-variance', k: features }, { step: 'z-score' }],
    { genes, classes: 3, weightCap: 1000, fractionBits: 32, uMin: 1, minUnits: 0 },
  );
  for (const out of views) {
    const training = views.filter((view) => view !== out);
    const spec = fitOver(training, steps, 'clear');
    const units = (view: (typeof views)[number]): LabelledUnits => ({
      ...{ n: view.n, features, classes: 3 },
      x: Float64Array.from(transform(view, spec).features),
      labels: view.labels ?? new Int32Array(0),
    });
    yield { training: training.map(units), held: units(out) };
  }
}
