import { describe, expect, it } from '@jest/globals';
import { readPlanFile } from '../plan-file/index.js';
import { exampleFile } from '../sim/index.js';
import { reportPage } from './page.js';
import { verifyMarkup } from './markup.support.js';
import { toyDocument } from './toy-document.support.js';

describe('the report of a run', () => {
  const page = reportPage(toyDocument);

  it('loads nothing, runs nothing, and is whole markup', () => {
    expect(page).not.toMatch(/<script|https?:|src=|href=|url\(|@import|\son\w+=/i);
    expect(page).toContain("default-src 'none'");
    verifyMarkup(page);
  });

  it('has a text alternative, a caption and the numbers of every picture', () => {
    const figures = page.split('<figure>').slice(1);
    expect(figures).toHaveLength(8);
    for (const figure of figures) {
      const [, title, words] = /role="img" aria-labelledby="(\S+) (\S+)"/.exec(figure) ?? [];
      expect(figure).toMatch(
        new RegExp(`<title id="${title}">[^<]{5,}</title><desc id="${words}">[^<]{20,}</desc>`),
      );
      expect(figure).toMatch(/<figcaption>.*<\/figcaption><details>.*<tbody><tr>/s);
      expect(figure).not.toMatch(/NaN|Infinity|undefined</);
    }
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('says coverage, bounds, intervals, what is hidden and why there is no leave-site-out', () => {
    for (const words of [
      '4 of 4 rounds with 5 of 5 sites',
      'x 0.91 ± 0.002 (cells), 95 % interval 0.85 to 0.96',
      'Not shown, too few units in a cell: y.',
      '1 bins of 1 to 4 units are not shown.',
      'Leave-site-out: not computed, the plan splits holdout.',
      'this run 0.8; majority class 0.55. This run is ahead of every baseline shown.',
      'undefined (0/0)',
      'A &#60;toy&#62; &#38; &#34;more&#34;',
    ])
      expect(page).toContain(words);
  });

  it('shows what was found before training, with a volcano plot of the tested genes', () => {
    const n = 40;
    const numbers = (of: (j: number) => number): Float64Array =>
      Float64Array.from({ length: n }, (_, j) => of(j));
    const pValue = numbers((j) => (j === 0 ? 0 : 10 ** (-j / 8)));
    const table = {
      ...{
        genes: Uint32Array.from({ length: n }, (_, j) => 2 * j),
        logFC: numbers((j) => (j % 2 ? 1 : -1) * j),
      },
      ...{ average: numbers(() => 5), t: numbers(() => 1), freedom: 9, pValue, adjusted: pValue },
      ...{ logOdds: numbers(() => 0), halfWidth: numbers(() => 1) },
    };
    const found = reportPage(toyDocument, { test: table });
    expect(found).toContain('Of 40 genes 15 are higher and 15 lower at a false discovery rate of 0.05');
    expect(found.match(/<path transform/g)).toHaveLength(30);
    expect(found).not.toMatch(/NaN|Infinity/);
    verifyMarkup(found);
  });

  it('has one row for all sums of a baseline', () => {
    const rounds = ['ridge-means', 'logistic-0', 'logistic-1'].map((step) => ({
      ...toyDocument.rounds[0]!,
      ...{ purpose: 'evaluation' as const, step },
    }));
    const found = reportPage({ ...toyDocument, rounds });
    expect(found).toContain('evaluation: logistic</th><td>2</td>');
    expect(found).not.toContain('logistic-1');
    expect(found).toContain('evaluation: ridge-means</th><td>1</td>');
  });

  it('tells each head by itself: what it learnt, and its loss on validation units', () => {
    const coding = {
      ...{ accuracy: 0.8, accuracyInterval: null, balancedAccuracy: 0.8, macroF1: 0.8 },
      ...{ matthewsCorrelation: 0.6, recallPerClass: [0.8, 0.8], precisionPerClass: [0.8, 0.8] },
      ...{ majority: 0.5, confusion: [40, 10, 10, 40] },
    };
    const found = reportPage({
      ...toyDocument,
      plan: readPlanFile(exampleFile('per-base.sim.yaml')),
      result: {
        pooled: { count: 4, heads: [{ head: 'coding', count: 100, classes: coding }] },
        bySite: null,
      },
      curve: toyDocument.curve.map((point) => ({
        ...{ ...point, accuracy: null, heads: [{ head: 'coding', loss: point.loss, accuracy: null }] },
      })),
      validation: toyDocument.validation.map((point) => ({
        ...{ ...point, accuracy: null, heads: [{ head: 'coding', loss: point.loss, accuracy: null }] },
      })),
    });
    for (const words of [
      'Confusion matrix of coding',
      'outside',
      'Training loss of coding',
      'Validation loss of coding',
    ])
      expect(found).toContain(words);
    verifyMarkup(found);
  });

  it('of a run without a result is a page all the same', () => {
    const early = reportPage({
      ...toyDocument,
      status: 'ABORTED',
      result: null,
      curve: [],
      rounds: [],
      schedule: null,
    });
    expect(early).toContain('There is none yet.');
    verifyMarkup(early);
  });
});
