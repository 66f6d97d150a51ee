import type { LabelledUnits } from './softmax-sums.js';

/** Numbers from −½ to ½ by a linear congruence (Numerical Recipes), so that another program can make the same. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

/** Units of three classes in turn; every third value is moved by 1 for its class. */
export const labelled = (seed: number, n: number, features: number): LabelledUnits => {
  const next = random(seed);
  const labels = Int32Array.from({ length: n }, (_, i) => i % 3);
  const x = Float64Array.from(
    { length: n * features },
    (_, k) => 4 * next() + (k % 3 === (labels[Math.floor(k / features)] ?? 0) ? 1 : 0),
  );
  return { n, features, classes: 3, x, labels };
};

/** The units of several sites as one. */
export const joined = (sites: readonly LabelledUnits[]): LabelledUnits => ({
  n: sites.reduce((sum, site) => sum + site.n, 0),
  features: sites[0]?.features ?? 0,
  classes: 3,
  x: Float64Array.from(sites.flatMap((site) => [...site.x])),
  labels: Int32Array.from(sites.flatMap((site) => [...site.labels])),
});
