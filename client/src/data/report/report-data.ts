import type { AxisProfile } from '../profile/index.js';
import { eachBlock, type OpenStore } from '../store/index.js';
import { type Components, principalComponents } from './principal-components.js';

const GENES = 500;
const UNITS = 600;

/** Components of some units, and which units they are. */
export interface Projection extends Components {
  readonly units: readonly number[];
  readonly genes: number;
}

/**
 * Principal components of a store on its most variable genes; counts become log2(CPM + 1), gaps the mean of their gene.
 *
 * @returns null for fewer than three units or two genes
 */
export function projectionOf(store: OpenStore, genes: AxisProfile, units: AxisProfile): Projection | null {
  const chosen = mostVariable(genes, units.names.length);
  const shown = evenly(units.names.length, UNITS);
  if (shown.length < 3 || chosen.length < 2) return null;
  const values = valuesOf(store, chosen, shown);
  if (store.manifest.scale === 'counts')
    toLogCpm(
      values,
      chosen.length,
      shown.map((u) => units.sums[u] ?? 0),
    );
  centre(values, chosen.length);
  return { ...principalComponents(values, shown.length, chosen.length), units: shown, genes: chosen.length };
}

/** Genes by variance, for counts by variance over mean. @returns positions */
function mostVariable({ sums, squares, missing }: AxisProfile, units: number): number[] {
  const spread = Array.from(sums, (sum, g) => {
    const n = Math.max(1, units - (missing[g] ?? 0));
    const mean = sum / n;
    const variance = (squares[g] ?? 0) / n - mean * mean;
    return [g, variance / Math.max(1, Math.abs(mean))] as const;
  });
  return spread
    .filter(([, value]) => value > 0)
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, GENES)
    .map(([g]) => g)
    .sort((a, b) => a - b);
}

const evenly = (n: number, most: number): number[] =>
  Array.from({ length: Math.min(n, most) }, (_, i) => Math.floor((i * n) / Math.min(n, most)));

/** Row-major [shown, chosen]. */
function valuesOf(store: OpenStore, chosen: readonly number[], shown: readonly number[]): Float64Array {
  const columns = new Map(chosen.map((gene, i) => [gene, i]));
  const rows = new Map(shown.map((unit, i) => [unit, i]));
  const values = new Float64Array(chosen.length * shown.length);
  eachBlock(store, ({ genes: [g0, g1], units: [u0, u1] }, numbers) => {
    for (let g = g0; g < g1; g++) {
      const column = columns.get(g);
      if (column === undefined) continue;
      for (let u = u0; u < u1; u++) {
        const row = rows.get(u);
        if (row !== undefined)
          values[row * chosen.length + column] = numbers[(g - g0) * (u1 - u0) + u - u0] ?? NaN;
      }
    }
  });
  return values;
}

function toLogCpm(values: Float64Array, genes: number, librarySizes: readonly number[]): void {
  values.forEach((x, i) => {
    const size = librarySizes[Math.floor(i / genes)] ?? 0;
    values[i] = size > 0 ? Math.log2((x / size) * 1e6 + 1) : 0;
  });
}

function centre(values: Float64Array, genes: number): void {
  for (let g = 0; g < genes; g++) {
    let [sum, n] = [0, 0];
    for (let i = g; i < values.length; i += genes) {
      const x = values[i] ?? NaN;
      if (Number.isNaN(x)) continue;
      sum += x;
      n++;
    }
    const mean = n === 0 ? 0 : sum / n;
    for (let i = g; i < values.length; i += genes) {
      const x = values[i] ?? NaN;
      values[i] = Number.isNaN(x) ? 0 : x - mean;
    }
  }
}
