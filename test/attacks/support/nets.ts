import { sha256, utf8 } from '@regulon/shared/crypto';
import { KeyedGenerator } from '@regulon/shared/models';
import { mlpNet } from '../../support/reference-nets/index.js';

/** The model of most attacks: 64 inputs, 32 ReLU units, 10 classes, biases everywhere. */
export const [INPUTS, HIDDEN, CLASSES] = [64, 32, 10];
export const net = mlpNet(INPUTS, HIDDEN, CLASSES);
/** Where its second kernel begins in the flat weights. */
export const SECOND = INPUTS * HIDDEN + HIDDEN;

/** Units and their classes. */
export interface Units {
  readonly x: number[][];
  readonly y: number[];
}

/** Numbers that are the same for the same name. */
export class Draws {
  private readonly generator: KeyedGenerator;

  constructor(name: string) {
    this.generator = new KeyedGenerator(sha256(utf8(name)));
  }

  /** Standard normal. @see Box & Muller 1958 */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.generator.uniform()));
    return radius * Math.cos(2 * Math.PI * this.generator.uniform());
  }

  /** in [0, bound) */
  below(bound: number): number {
    return this.generator.below(bound);
  }

  normals(count: number): number[] {
    return Array.from({ length: count }, () => this.normal());
  }

  /** Units of normal numbers whose classes mean nothing: a model can only remember them. */
  units(count: number, inputs = INPUTS, classes = CLASSES): Units {
    return {
      x: Array.from({ length: count }, () => this.normals(inputs)),
      y: Array.from({ length: count }, () => this.below(classes)),
    };
  }
}

/** An honest start: kernels of the scale of Glorot & Bengio 2010, biases 0. */
export function honestStart(name: string): Float64Array {
  const draws = new Draws(name);
  const weights = new Float64Array(net.size);
  const scale = (fans: number): number => Math.sqrt(2 / fans);
  for (let i = 0; i < INPUTS * HIDDEN; i++) weights[i] = scale(INPUTS + HIDDEN) * draws.normal();
  for (let i = 0; i < HIDDEN * CLASSES; i++) weights[SECOND + i] = scale(HIDDEN + CLASSES) * draws.normal();
  return weights;
}

/** Summed gradient of some units. */
export function summedGradient(weights: Float64Array, { x, y }: Units): Float64Array {
  return net.lossAndGradient(weights, x, y).gradient.map((g) => g * x.length);
}

/** What a first layer's gradient says of its input: ∂L/∂W of a hidden unit over its ∂L/∂b. */
export function rowBehind(gradient: ArrayLike<number>, unit: number): number[] {
  const bias = gradient[INPUTS * HIDDEN + unit]!;
  return Array.from({ length: INPUTS }, (_, i) => gradient[i * HIDDEN + unit]! / bias);
}

/** Norm of a − b over norm of b. */
export function relativeError(a: readonly number[], b: readonly number[]): number {
  return Math.hypot(...a.map((value, i) => value - b[i]!)) / Math.hypot(...b);
}

export function cosine(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0) / (Math.hypot(...a) * Math.hypot(...b));
}

/** How many of the rows stand among the guesses, to nine digits. */
export function exactRows(
  guesses: readonly (readonly number[])[],
  rows: readonly (readonly number[])[],
): number {
  return rows.filter((row) => guesses.some((guess) => relativeError(guess, row) < 1e-9)).length;
}
