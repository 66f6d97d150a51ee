/** Nodes in (0, 1) and their weights, which add up to 1. */
export interface Quadrature {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

const NEWTON_STEPS = 100;

/**
 * Gauss–Legendre rule on [0, 1]: exact for polynomials of degree 2n − 1.
 *
 * @param n number of nodes, 1 or more
 * @see Press et al., Numerical Recipes, 4.6
 */
export function gaussLegendre(n: number): Quadrature {
  const nodes = new Float64Array(n);
  const weights = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let { value, slope } = legendre(n, x);
    for (let step = 0; step < NEWTON_STEPS; step++) {
      const move = value / slope;
      x -= move;
      ({ value, slope } = legendre(n, x));
      if (Math.abs(move) < 1e-15) break;
    }
    nodes[i] = (1 - x) / 2;
    weights[i] = 1 / ((1 - x * x) * slope * slope);
  }
  return { nodes, weights };
}

/** Legendre polynomial of degree n and its slope, by the recurrence of three terms. */
function legendre(n: number, x: number): { value: number; slope: number } {
  let [before, value] = [0, 1];
  for (let k = 1; k <= n; k++) {
    [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k];
  }
  return { value, slope: (n * (x * value - before)) / (x * x - 1) };
}

/** Midpoint rule: for functions with kinks, where a high degree gains nothing. @param n number of nodes, 1 or more */
export function midpoints(n: number): Quadrature {
  return {
    nodes: Float64Array.from({ length: n }, (_, i) => (i + 0.5) / n),
    weights: new Float64Array(n).fill(1 / n),
  };
}
