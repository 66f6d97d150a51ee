import { symmetricEigen } from '../sim/reference/symmetric-eigen.js';
import { acrossOf, axesOf, COLOURS, label, type Picture, place, upOf } from './chart-frame.js';
import { numberText } from './html.js';
import type { SiteMean } from './site-means.js';

/** Sites on the first two principal components of their mean profiles. @param means at least three */
export function sitePicture(means: readonly SiteMean[]): Picture {
  const { scores, shares } = componentsOf(means.map(({ mean }) => mean));
  const x = axisAround(
    scores.map(([first]) => first),
    acrossOf,
  );
  const y = axisAround(
    scores.map(([, second]) => second),
    upOf,
  );
  const names = shares.map((share, c) => `component ${c + 1} (${percent(share)} of the variance)`);
  const marks = means.map(({ site }, s) => {
    const [first, second] = scores[s] ?? [0, 0];
    const [cx, cy] = [x.at(first), y.at(second)];
    const circle = `<circle cx="${place(cx)}" cy="${place(cy)}" r="4" fill="${COLOURS[s % COLOURS.length]}"/>`;
    // the name tells a site, not its colour; it stays inside the picture
    const left = first > 0;
    return circle + label(cx + (left ? -7 : 7), cy - 6, site, left ? 'end' : 'start');
  });
  const distance = (s: number): number => Math.hypot(...(scores[s] ?? [0, 0]));
  const far = [...means.keys()].reduce((most, s) => (distance(s) > distance(most) ? s : most), 0);
  return {
    title: 'Sites beside each other',
    words: `Mean profiles of ${means.length} sites over ${means[0]?.mean.length ?? 0} genes on their first two principal components, which hold ${percent(shares[0])} and ${percent(shares[1])} of the variance between them; farthest from the middle is ${means[far]?.site ?? ''}. Sites that lie apart measure differently, or have other patients.`,
    inner: axesOf(x, y, [names[0] ?? '', names[1] ?? '']) + marks.join(''),
    numbers: {
      titles: ['site', 'training units', 'component 1', 'component 2'],
      rows: means.map(({ site, units }, s) => [
        site,
        String(units),
        ...[0, 1].map((c) => numberText(scores[s]?.[c])),
      ]),
    },
  };
}

const percent = (share: number | undefined): string => `${(100 * (share ?? 0)).toFixed(0)} %`;

/** A little room beside the outermost. */
function axisAround(values: readonly number[], axis: typeof acrossOf) {
  const reach = 1.15 * Math.max(...values.map(Math.abs), 1e-9);
  return axis(-reach, reach);
}

/** Scores of rows on their first two principal components, the largest of each positive, and shares of their variance. */
export function componentsOf(rows: readonly Float64Array[]): {
  scores: (readonly [number, number])[];
  shares: readonly [number, number];
} {
  const n = rows.length;
  const middle = Float64Array.from(
    rows[0] ?? [],
    (_, j) => rows.reduce((sum, row) => sum + (row[j] ?? 0), 0) / n,
  );
  const centred = rows.map((row) => row.map((value, j) => value - (middle[j] ?? 0)));
  const gram = new Float64Array(n * n);
  centred.forEach((a, i) =>
    centred.forEach((b, k) => (gram[i * n + k] = a.reduce((sum, value, j) => sum + value * (b[j] ?? 0), 0))),
  );
  const total = rows.reduce((sum, _, i) => sum + (gram[i * n + i] ?? 0), 0);
  const { values, vectors } = symmetricEigen(gram, n);
  const score = (c: number): number[] => {
    const own = Array.from(
      vectors.subarray(c * n, (c + 1) * n),
      (u) => u * Math.sqrt(Math.max(0, values[c] ?? 0)),
    );
    const largest = own.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    return own.map((value) => (largest < 0 ? -value : value));
  };
  const [first, second] = [score(0), score(1)];
  const share = (c: number): number => (total > 0 ? Math.max(0, values[c] ?? 0) / total : 0);
  return { scores: rows.map((_, i) => [first[i] ?? 0, second[i] ?? 0]), shares: [share(0), share(1)] };
}
