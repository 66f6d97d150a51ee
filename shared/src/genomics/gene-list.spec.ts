import { describe, expect, it } from '@jest/globals';
import type { PrepareStep } from '../plan/index.js';
import { geneList } from './selection.js';
import { decodeSpecification, encodeSpecification } from './specification-codec.js';
import { emptySpecification, withStep } from './specification.js';
import { featureCount } from './fitted-steps.js';
import { withoutSums } from './statistics-steps.js';
import { transform } from './transform.js';
import type { UnitsView } from './view.js';

const empty = emptySpecification({ panelDigest: new Uint8Array(32), genes: 5 });
const list: PrepareStep = {
  step: 'gene-list',
  genes: [
    { name: 'B', at: 2 },
    { name: 'E', at: 5 },
  ],
};
const view: UnitsView = { n: 1, genes: 5, classes: 0, values: Float64Array.of(90, 1, 0, 2, 7) };

describe('genes that a plan lists', () => {
  it('are the features, and log2(CPM + 1) of them has the library of the whole panel', () => {
    const spec = withoutSums(empty, [list, { step: 'log2-cpm' }]);
    expect([...spec.keptGenes]).toEqual([1, 4]);
    expect(featureCount(spec)).toBe(2);
    const { features } = transform(view, spec);
    expect(features[0]).toBeCloseTo(Math.log2(1e4 + 1), 5);
    expect(features[1]).toBeCloseTo(Math.log2(7e4 + 1), 5);
  });

  it('are the only ones of a centred log ratio', () => {
    const { features } = transform(view, withoutSums(empty, [list, { step: 'clr', pseudocount: 1 }]));
    expect([...features]).toEqual([-Math.log(2), Math.log(2)].map(Math.fround));
  });

  it('leave out those that may enter no sum', () => {
    const counted = withStep(empty, { step: 'folds', keptGenes: Uint32Array.of(0, 1, 2) });
    expect([...geneList(counted, list.genes).keptGenes]).toEqual([1]);
    const none = withStep(empty, { step: 'folds', keptGenes: Uint32Array.of(0, 2) });
    expect(() => geneList(none, list.genes)).toThrow(/none of its genes may enter a sum/);
  });

  it('lie within the panel, stand before the logarithm, and travel with the model', () => {
    expect(() => geneList(empty, [{ at: 6 }])).toThrow(/the panel has 5 genes only/);
    expect(() => withoutSums(empty, [{ step: 'log2-cpm' }, list])).toThrow(/prepare\[1\]: gene-list/);
    const spec = withoutSums(empty, [list]);
    expect(decodeSpecification(encodeSpecification(spec))).toEqual(spec);
  });
});
