import { describe, expect, it } from '@jest/globals';
import { hex } from '../crypto/index.js';
import { decodeSpecification, encodeSpecification, specificationDigest } from './specification-codec.js';
import { emptySpecification, type FeatureSpecification, withStep } from './specification.js';

const example = (): FeatureSpecification => {
  let spec = emptySpecification({ panelDigest: new Uint8Array(32).fill(7), genes: 5 });
  spec = withStep(spec, {
    step: 'counts',
    units: 12,
    classUnits: Uint32Array.of(5, 7),
    classSites: Uint32Array.of(3, 3),
    minUnits: 5,
    minSites: 3,
    keptGenes: Uint32Array.of(0, 2, 4),
  });
  spec = withStep(spec, { step: 'log2-cpm' });
  spec = withStep(spec, { step: 'mean', units: 12, mean: Float64Array.of(0.1, 1e-300, -3) });
  return withStep(spec, {
    step: 'z-score',
    mean: Float64Array.of(1, 2, 3),
    sd: Float64Array.of(0.5, 1, 1 / 3),
  });
};

const tampered = (edit: (text: string) => string): Uint8Array =>
  new TextEncoder().encode(edit(new TextDecoder().decode(encodeSpecification(example()))));

describe('feature specification as bytes', () => {
  it('reads back bit for bit', () => {
    const spec = example();
    const bytes = encodeSpecification(spec);
    expect(decodeSpecification(bytes)).toEqual(spec);
    expect(encodeSpecification(decodeSpecification(bytes))).toEqual(bytes);
  });

  it('has one digest, which every fitted number changes', () => {
    const spec = example();
    const digest = hex(specificationDigest(spec));
    expect(hex(specificationDigest(decodeSpecification(encodeSpecification(spec))))).toBe(digest);
    const z = {
      step: 'z-score',
      mean: Float64Array.of(1, 2, 3),
      sd: Float64Array.of(0.5, 1, 1 / 3 + 1e-16),
    } as const;
    const other = { ...spec, steps: [...spec.steps.slice(0, -1), z] };
    expect(hex(specificationDigest(other))).not.toBe(digest);
    expect(hex(specificationDigest({ ...spec, panelDigest: '0'.repeat(64) }))).not.toBe(digest);
  });

  it.each([
    ['an unknown key', (text: string) => text.replace('{', '{"extra":1,')],
    ['an unknown step', (text: string) => text.replace('"log2-cpm"', '"log3-cpm"')],
    ['a broken array', (text: string) => text.replace(/"u32":"[^"]+"/, '"u32":"AAA="')],
    ['a wrong schema', (text: string) => text.replace('features/1', 'features/2')],
    ['no JSON', () => '{'],
  ])('refuses %s', (_, edit) => {
    expect(() => decodeSpecification(tampered(edit))).toThrow('feature specification');
  });
});
