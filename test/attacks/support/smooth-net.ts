import { CLASSES, HIDDEN, INPUTS, SECOND, net } from './nets.js';

/** The same shape with tanh: its gradient can itself be followed. */
interface Pass {
  readonly gradient: Float64Array;
  readonly inputGradient: Float64Array;
}

/** Loss gradient of one unit by the weights and by the input. */
function pass(weights: Float64Array, x: ArrayLike<number>, label: number): Pass {
  const hidden = Float64Array.from({ length: HIDDEN }, (_, k) => {
    let z = weights[INPUTS * HIDDEN + k]!;
    for (let i = 0; i < INPUTS; i++) z += x[i]! * weights[i * HIDDEN + k]!;
    return Math.tanh(z);
  });
  const logits = Array.from({ length: CLASSES }, (_, c) => {
    let z = weights[SECOND + HIDDEN * CLASSES + c]!;
    for (let k = 0; k < HIDDEN; k++) z += hidden[k]! * weights[SECOND + k * CLASSES + c]!;
    return z;
  });
  const top = Math.max(...logits);
  const total = logits.reduce((sum, z) => sum + Math.exp(z - top), 0);
  const slope = logits.map((z, c) => Math.exp(z - top) / total - (c === label ? 1 : 0));
  const gradient = new Float64Array(net.size);
  const inputGradient = new Float64Array(INPUTS);
  slope.forEach((s, c) => (gradient[SECOND + HIDDEN * CLASSES + c] = s));
  for (let k = 0; k < HIDDEN; k++) {
    let below = 0;
    for (let c = 0; c < CLASSES; c++) {
      gradient[SECOND + k * CLASSES + c] = hidden[k]! * slope[c]!;
      below += weights[SECOND + k * CLASSES + c]! * slope[c]!;
    }
    below *= 1 - hidden[k]! ** 2;
    gradient[INPUTS * HIDDEN + k] = below;
    for (let i = 0; i < INPUTS; i++) {
      gradient[i * HIDDEN + k] = x[i]! * below;
      inputGradient[i]! += weights[i * HIDDEN + k]! * below;
    }
  }
  return { gradient, inputGradient };
}

export const smoothGradient = (weights: Float64Array, x: ArrayLike<number>, label: number): Float64Array =>
  pass(weights, x, label).gradient;

/** Without the biases of the first layer, whose quotients would give the input away at once. */
const matched = (i: number): boolean => i < INPUTS * HIDDEN || i >= SECOND;

/**
 * ‖g(x) − seen‖² and its slope by x, the biases of the first layer left out. The slope of ⟨r, g(x)⟩ by x is how the input
 * gradient changes along r in the weights: two passes instead of a second derivative.
 */
export function mismatch(weights: Float64Array, x: Float64Array, label: number, seen: Float64Array) {
  const rest = smoothGradient(weights, x, label).map((g, i) => (matched(i) ? g - seen[i]! : 0));
  const value = rest.reduce((sum, r) => sum + r * r, 0);
  const step = 1e-4 / (Math.sqrt(value) || 1);
  const along = (sign: number): Float64Array =>
    pass(
      weights.map((w, i) => w + sign * step * rest[i]!),
      x,
      label,
    ).inputGradient;
  const [ahead, behind] = [along(1), along(-1)];
  return { value, gradient: ahead.map((a, i) => (a - behind[i]!) / step) };
}
