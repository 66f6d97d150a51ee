import { enc, sha256, u32, utf8 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { KeyedGenerator } from './generator.js';
import type { WeightSpec } from './manifest.js';

const PIECE_ELEMENTS = 262_144;
const ORTHOGONAL_LIMIT = 16_777_216;

/** What the initial weights of a model follow from, beside its manifest. */
export interface InitSeed {
  /** plan seed, u32 */
  readonly seed: number;
  /** arm of the run: arms start from different weights */
  readonly arm: number;
}

/**
 * Initial weights, as a stream in manifest order.
 *
 * Each weight draws from its own generator, keyed by seed, arm and name; float64 with + − × ÷ √ only, rounded once to
 * float32: the same bytes on every engine.
 *
 * @returns pieces of at most 1 MiB; the caller owns each
 * @throws E_MODEL_SHAPE if an orthogonal matrix has more than 2²⁴ elements
 * @see Glorot & Bengio 2010, eq. 16; He et al. 2015, eq. 10 (both in their uniform form); Saxe et al. 2014 (orthogonal)
 */
export function* initialWeights(
  specs: readonly WeightSpec[],
  seed: InitSeed,
): Generator<Float32Array<ArrayBuffer>> {
  for (const spec of specs) yield* initialWeight(spec, seed);
}

function* initialWeight(spec: WeightSpec, seed: InitSeed): Generator<Float32Array<ArrayBuffer>> {
  switch (spec.init) {
    case 'zeros':
      for (const [from, to] of pieces(spec.size)) yield new Float32Array(to - from);
      return;
    case 'ones':
      for (const [from, to] of pieces(spec.size)) yield new Float32Array(to - from).fill(1);
      return;
    case 'glorot-uniform':
    case 'he-uniform': {
      const bound = uniformBound(spec);
      const generator = generatorOf(spec, seed);
      for (const [from, to] of pieces(spec.size)) {
        const piece = new Float32Array(to - from);
        for (let i = 0; i < piece.length; i++) piece[i] = (2 * generator.uniform() - 1) * bound;
        yield piece;
      }
      return;
    }
    case 'orthogonal': {
      const matrix = orthogonal(spec, generatorOf(spec, seed));
      for (const [from, to] of pieces(spec.size)) yield Float32Array.from(matrix.subarray(from, to));
      return;
    }
  }
}

function generatorOf(spec: WeightSpec, { seed, arm }: InitSeed): KeyedGenerator {
  return new KeyedGenerator(sha256(enc('regulon/init/v1', u32(seed), u32(arm), utf8(spec.name))));
}

function* pieces(size: number): Generator<[number, number]> {
  for (let from = 0; from < size; from += PIECE_ELEMENTS) yield [from, Math.min(size, from + PIECE_ELEMENTS)];
}

/** Fans of a kernel [receptive field …, in, out]. */
function uniformBound(spec: WeightSpec): number {
  const [fanOut = 1, fanIn = 1, ...field] = [...spec.shape].reverse();
  const receptive = field.reduce((a, b) => a * b, 1);
  return spec.init === 'he-uniform'
    ? Math.sqrt(6 / (fanIn * receptive))
    : Math.sqrt(6 / ((fanIn + fanOut) * receptive));
}

/** Row-major [rows, columns] whose shorter side is orthonormal: Gram–Schmidt, twice, on uniform draws. */
function orthogonal(spec: WeightSpec, generator: KeyedGenerator): Float64Array {
  const [rows = 1, columns = 1] = spec.shape;
  if (spec.size > ORTHOGONAL_LIMIT) {
    throw new RegulonError('E_MODEL_SHAPE', `${spec.name}: too large for an orthogonal start`);
  }
  const vectors = orthonormal(Math.min(rows, columns), Math.max(rows, columns), generator);
  const matrix = new Float64Array(spec.size);
  vectors.forEach((vector, v) => {
    vector.forEach((value, i) => {
      matrix[rows <= columns ? v * columns + i : i * columns + v] = value;
    });
  });
  return matrix;
}

function orthonormal(count: number, length: number, generator: KeyedGenerator): Float64Array[] {
  const basis: Float64Array[] = [];
  while (basis.length < count) {
    const vector = Float64Array.from({ length }, () => 2 * generator.uniform() - 1);
    for (let pass = 0; pass < 2; pass++) for (const other of basis) subtractProjection(vector, other);
    const norm = Math.sqrt(dot(vector, vector));
    // a draw that nearly lies in the span so far is drawn again
    if (norm > 1e-6) basis.push(vector.map((x) => x / norm));
  }
  return basis;
}

function subtractProjection(vector: Float64Array, unit: Float64Array): void {
  const length = dot(vector, unit);
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) - length * (unit[i] ?? 0);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
