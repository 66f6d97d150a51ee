import type { UnitsView } from '@regulon/shared/genomics';

/** Made-up counts of a site, two classes in turn: the same numbers wherever a test asks for them. */
export function toyUnits(site: number, n: number, genes: number): UnitsView {
  const values = Float64Array.from({ length: n * genes }, (_, i) => 1 + ((i * i * 31 + site * 17 + i) % 97));
  return { n, genes, values, labels: Int32Array.from({ length: n }, (_, i) => i % 2), classes: 2 };
}
