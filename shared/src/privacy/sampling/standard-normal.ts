import { normalCdf } from '../normal.js';
import type { RandomWords, WordSource } from './random-words.js';

const { exp, expm1, log, sqrt } = Math;

/** Layers of equal area below e^{−x²/2}: a power of two, so that ten bits of a word choose one. */
const LAYERS = 1024;
const LAYER_BITS = 0x3ff;
const SIGN_BIT = 0x400;

/** Right ends of the layers, the widest first, and the heights of the curve there. */
export interface Layers {
  /** [LAYERS + 1]; the first is as wide as a rectangle with the area of base and tail, the last is 0 */
  readonly ends: Float64Array;
  /** e^{−x²/2} of each end, the first left out */
  readonly heights: Float64Array;
  /** area of the topmost layer over that of the others: 1 but for rounding */
  readonly closure: number;
}

/** Layers when the tail begins at r. */
function layersFrom(r: number): Layers {
  const ends = new Float64Array(LAYERS + 1);
  const heights = new Float64Array(LAYERS + 1);
  const area = r * exp((-r * r) / 2) + sqrt(2 * Math.PI) * normalCdf(-r);
  ends[0] = area / exp((-r * r) / 2);
  ends[1] = r;
  for (let i = 1; i < LAYERS; i++) {
    heights[i] = exp((-ends[i]! * ends[i]!) / 2);
    const next = area / ends[i]! + heights[i]!;
    // the curve ends before the layers do: r is too small
    if (next >= 1 && i < LAYERS - 1) return { ends, heights, closure: Infinity };
    if (i < LAYERS - 1) ends[i + 1] = sqrt(-2 * log(next));
  }
  heights[LAYERS] = 1;
  const last = ends[LAYERS - 1]!;
  return { ends, heights, closure: (-last * expm1((-last * last) / 2)) / area };
}

/** The tail begins where the topmost layer has the area of the others. */
function closedLayers(): Layers {
  let [low, high] = [3, 6];
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2;
    const { closure } = layersFrom(middle);
    if (closure === Infinity || closure < 1) low = middle;
    else high = middle;
  }
  return layersFrom(high);
}

export const layers = closedLayers();

/** Uniform in (0, 1] with 53 bits. */
function uniform53(source: WordSource): number {
  const high = source.next() >>> 5;
  const low = source.next() >>> 6;
  return (high * 2 ** 26 + low + 1) * 2 ** -53;
}

/**
 * One standard normal number in float64: the ziggurat, with 53 bits for the place in a layer and eleven more for layer and
 * sign. Nothing is cut off: the tail has a sampler of its own.
 *
 * @see Marsaglia & Tsang 2000 (the layers); Marsaglia 1964 (the tail); Doornik 2005 (bits that are not used twice)
 */
export function standardNormal(source: WordSource): number {
  const { ends } = layers;
  for (;;) {
    const high = source.next() >>> 0;
    const low = source.next();
    const layer = low & LAYER_BITS;
    const x = (high * 2 ** 21 + (low >>> 11)) * 2 ** -53 * ends[layer]!;
    if (x < ends[layer + 1]! || isBelowCurve(layer, x, source)) return low & SIGN_BIT ? -x : x;
    if (layer === 0) return low & SIGN_BIT ? -tail(source) : tail(source);
  }
}

/**
 * The same numbers as one after the other, as far as words lie ready and each falls into the sure part of its layer, which is
 * where nearly all of them do.
 *
 * @returns how many were written
 */
export function quickNormals(values: Float64Array, source: RandomWords): number {
  const { ends } = layers;
  const words = source.ahead();
  const most = Math.min(values.length, words.length >>> 1);
  let k = 0;
  for (; k < most; k++) {
    const low = words[2 * k + 1]!;
    const layer = low & LAYER_BITS;
    const x = ((words[2 * k]! >>> 0) * 2 ** 21 + (low >>> 11)) * 2 ** -53 * ends[layer]!;
    if (x >= ends[layer + 1]!) break;
    values[k] = low & SIGN_BIT ? -x : x;
  }
  source.skip(2 * k);
  return k;
}

/** Beside the part of a layer that lies below the curve throughout: a height of the layer by chance. */
function isBelowCurve(layer: number, x: number, source: WordSource): boolean {
  if (layer === 0) return false;
  const [from, to] = [layers.heights[layer]!, layers.heights[layer + 1]!];
  return from + uniform53(source) * (to - from) < exp((-x * x) / 2);
}

/** Beyond the widest layer: exponential proposals. */
function tail(source: WordSource): number {
  const r = layers.ends[1]!;
  for (;;) {
    const beyond = -log(uniform53(source)) / r;
    if (-2 * log(uniform53(source)) > beyond * beyond) return r + beyond;
  }
}
