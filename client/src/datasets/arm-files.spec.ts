import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { emptySpecification, type FeatureSpecification, type UnitsView } from '@regulon/shared/genomics';
import { testPlan } from '../policy/site.support.js';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import { writePrepared, writeUnprepared } from './arm-files.js';

describe('files of an arm', () => {
  let prefix: string;
  beforeAll(() => {
    prefix = join(temporaryFolder('arm-files'), 'files');
  });
  const view = (n: number, columns: number, values: readonly number[]): UnitsView => {
    const labels = Int32Array.from({ length: n }, (_, i) => i % 2);
    return { n, genes: columns, classes: 2, labels, values: Float64Array.from(values) };
  };
  const floats = (path: string): number[] => {
    const bytes = readFileSync(path);
    return [...new Float32Array(Uint8Array.from(bytes).buffer)];
  };

  it('hold sequences as bases × letters, with their classes', () => {
    const dna = { dataset: { name: 'd', kind: 'sequences', scale: 'bases', unit: 'sequence' }, prepare: [] };
    const values = [0, 1, 0, 0, 0.25, 0.25, 0.25, 0.25, 0, 0, 0, 1, 1, 0, 0, 0];
    const data = writeUnprepared(view(2, 8, values), testPlan(dna), prefix);
    expect(data.shape).toEqual([2, 2, 4]);
    expect(floats(data.featuresPath)).toEqual(values);
    expect([...readFileSync(data.targetsPath ?? '')]).toEqual([0, 0, 0, 0, 1, 0, 0, 0]);
  });

  it('hold the targets of several heads instead of classes', () => {
    const dna = { dataset: { name: 'd', kind: 'sequences', scale: 'bases', unit: 'sequence' }, prepare: [] };
    const targets = Float64Array.of(1, 0.5, -1, NaN);
    const data = writeUnprepared({ ...view(2, 4, Array(8).fill(0)), targets }, testPlan(dna), prefix);
    expect(floats(data.targetsPath ?? '')).toEqual([1, 0.5, -1, NaN]);
  });

  it('hold series to classify with gaps interpolated and marked', () => {
    const series = { dataset: { name: 'd', kind: 'series', scale: 'log-ratio', unit: 'gene' }, prepare: [] };
    const values = [NaN, 1, NaN, 3, NaN, NaN, NaN, NaN];
    const data = writeUnprepared(view(2, 4, values), testPlan(series), prefix);
    expect(data.shape).toEqual([2, 4, 2]);
    expect(floats(data.featuresPath)).toEqual([1, 0, 1, 1, 2, 0, 3, 1, ...Array<number>(8).fill(0)]);
  });

  it('hold the graph of co-expression by numbers of features', () => {
    const empty = emptySpecification({ panelDigest: new Uint8Array(32), genes: 3 });
    const before = { ...empty, keptGenes: Uint32Array.of(0, 2) };
    const graph = { a: Uint32Array.of(0), b: Uint32Array.of(1), weight: Float64Array.of(0.5) };
    const steps: FeatureSpecification['steps'] = [{ step: 'co-expression', neighbours: 1, ...graph }];
    const units = view(2, 3, [1, 2, 3, 4, 5, 6]);
    const data = writePrepared(units, { ...before, steps }, undefined, prefix);
    expect(floats(data.featuresPath)).toEqual([1, 3, 4, 6]);
    expect(readFileSync(data.coExpressionPath ?? '', 'utf8')).toBe('a\tb\tweight\n0\t1\t0.5\n');
    expect(writePrepared(units, before, undefined, prefix)).not.toHaveProperty('coExpressionPath');
  });
});
