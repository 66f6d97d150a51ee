import { describe, expect, it } from '@jest/globals';
import { countPatients } from './patient-counts.js';
import { requireStep } from './fitted-steps.js';
import type { StatisticsOptions } from './statistics-step.js';
import { statisticsSteps } from './statistics-steps.js';
import { fitOver } from './sums.support.js';
import { selectUnits, type UnitsView } from './view.js';

const GENES = 3;
const options: StatisticsOptions = {
  ...{ genes: GENES, classes: 2, weightCap: 100, fractionBits: 32, uMin: 2, hasRecords: true },
};

/** Ten libraries of so many patients in turn; two classes of five libraries; gene 2 is there in five of one patient. */
function site(patients: number, of: Partial<UnitsView> = {}): UnitsView {
  const n = 10;
  const whose = Int32Array.from({ length: n }, (_, unit) => unit % patients);
  return {
    ...{ n, genes: GENES, classes: 2, patients: whose },
    labels: Int32Array.from({ length: n }, (_, unit) => (unit < 5 ? 0 : 1)),
    values: Float64Array.from({ length: n * GENES }, (_, k) => {
      const unit = Math.floor(k / GENES);
      return k % GENES < 2 || whose[unit] === 0 ? 3 + k : 0;
    }),
    ...of,
  };
}
const countsOver = (views: readonly UnitsView[], more: Partial<StatisticsOptions> = {}) =>
  requireStep(fitOver(views, statisticsSteps([], { ...options, ...more }), 'secure'), 'counts');

describe('counts of patients with several records', () => {
  it('count a patient once a column, whatever the order of the records', () => {
    const view = site(3);
    const marked = (own: UnitsView) => [
      ...countPatients(own, 2, (unit, mark) => {
        mark(0);
        if ((own.values[unit * GENES + 2] ?? 0) > 0) mark(1);
      }),
    ];
    expect(marked(view)).toEqual([3, 1]);
    expect(marked(selectUnits(view, [9, 0, 8, 1, 7, 2, 6, 3, 5, 4]))).toEqual([3, 1]);
    expect(marked(selectUnits(view, [0, 3, 6]))).toEqual([1, 1]);
    const { patients: _, ...records } = view;
    expect(marked(records)).toEqual([10, 4]);
  });

  it('drop a gene that ten libraries of two patients have, and keep the classes in libraries', () => {
    const counts = countsOver([site(5), site(5)]);
    expect([...counts.keptGenes]).toEqual([0, 1]);
    expect([counts.units, ...counts.classUnits]).toEqual([20, 10, 10]);
    // by libraries the gene would stay
    expect([...countsOver([site(1), site(1)], { hasRecords: false, minUnits: 2 }).keptGenes]).toEqual([
      0, 1, 2,
    ]);
  });

  it('end the run when all units, or those of a class, are of fewer than five patients', () => {
    expect(() => countsOver([site(2), site(2)])).toThrow(
      'the units are of 4 patients over all contributing sites, at least 5 are needed',
    );
    // the patients of class 2 are three, at two sites
    const few = [site(5), site(5)].map((view, i) => ({
      ...view,
      patients: view.patients?.map((patient, unit) => (unit < 5 ? patient : 10 + (unit % (1 + i)))),
    }));
    expect(() => countsOver(few as UnitsView[])).toThrow('the units of class 2 are of 3 patients');
  });

  it('hold for folds and for levels of a design', () => {
    const folded = [site(5), site(5)].map((view) => ({
      ...view,
      folds: view.patients ?? new Int32Array(10),
    }));
    expect(() => fitOver(folded, statisticsSteps([], { ...options, hasFolds: true }), 'secure')).toThrow(
      'a fold has fewer than 5 units',
    );
    const treated = [site(5), site(5)].map((view) => ({
      ...view,
      covariates: Float64Array.from(view.patients ?? [], (patient) => (patient === 0 ? 1 : 0)),
    }));
    const steps = statisticsSteps([{ step: 'remove-batch-effect', covariates: ['treated'] }], {
      ...{ ...options, scale: 'log-ratio', covariates: [{ name: 'treated', kind: 'indicator' }] },
    });
    expect(() => fitOver(treated, steps, 'secure')).toThrow(
      'covariate treated is not 0 for fewer than 5 units',
    );
  });
});
