import { sha256, utf8 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { KeyedGenerator, type WeightSpec } from '@regulon/shared/models';
import type { Network } from './network.js';

/** Of fewer inputs, units of an honest start point the same way by chance. */
const LEAST_INPUTS = 4;
/** Units whose weights differ by no more than this angle (radians) read the same number of an input. */
const ANGLE = 1e-3;

/**
 * Refuse weights that would copy single patients into the update: units of one layer with the same weights and other
 * biases cut the batch into bins, and the differences of their gradients are the rows that are alone in a bin.
 *
 * No start of the catalogue has such units. Output layers are left out: nothing behind them separates the bins, and
 * classes without data grow alike there. So are units without any weight, which read nothing.
 *
 * @param weights flat [P] in manifest order; not changed
 * @throws E_IMPRINT naming the layer and how many of its units are copies
 * @see Fowl et al. 2022 (arXiv:2110.13057); Zhao et al. 2023 (arXiv:2303.12233)
 */
export function verifyNoImprint(
  { specs, heads }: Pick<Network, 'specs' | 'heads'>,
  weights: Float32Array,
): void {
  const kernels = specs.filter(({ name, trainable }) => trainable && name.endsWith('/kernel'));
  const outputs = heads.map(({ block }) => kernels.findLast((kernel) => kernel.block === block));
  for (const kernel of kernels) {
    if (outputs.includes(kernel)) continue;
    const copies = copiesIn(kernel, weights.subarray(kernel.offset, kernel.offset + kernel.size));
    if (copies > 0)
      throw new RegulonError(
        'E_IMPRINT',
        `layer ${kernel.name.slice(0, -'/kernel'.length)}: ${copies} of its units read what another one reads`,
      );
  }
}

/** Units that point in the direction of another one. @param values row-major [inputs, units] */
function copiesIn({ shape }: WeightSpec, values: Float32Array): number {
  const units = shape.at(-1) ?? 1;
  const inputs = values.length / units;
  if (inputs < LEAST_INPUTS) return 0;
  const { norms, shadows } = projected(values, inputs, units);
  const order = [...norms.keys()].filter((u) => norms[u]! > 0).sort((u, v) => shadows[u]! - shadows[v]!);
  // unit vectors at this angle have shadows no further apart
  const reach = ANGLE * Math.sqrt(inputs);
  let copies = 0;
  order.forEach((u, place) => {
    for (let next = place + 1; next < order.length; next++) {
      const v = order[next]!;
      if (shadows[v]! - shadows[u]! > reach) break;
      if (!areCopies(values, [u, v], norms, units)) continue;
      copies++;
      break;
    }
  });
  return copies;
}

/** Norm of each unit's weights, and their unit vectors along one direction of ±1: equal ones lie side by side there. */
function projected(values: Float32Array, inputs: number, units: number) {
  const [norms, shadows] = [new Float64Array(units), new Float64Array(units)];
  const signs = new Uint32Array(inputs);
  new KeyedGenerator(sha256(utf8('regulon/imprint/v1'))).words(signs);
  for (let i = 0; i < inputs; i++) {
    const sign = signs[i]! & 1 ? 1 : -1;
    for (let u = 0; u < units; u++) {
      const value = values[i * units + u]!;
      norms[u] = norms[u]! + value * value;
      shadows[u] = shadows[u]! + sign * value;
    }
  }
  for (let u = 0; u < units; u++) {
    norms[u] = Math.sqrt(norms[u]!);
    shadows[u] = shadows[u]! / norms[u]!;
  }
  return { norms, shadows };
}

/** Whether ‖u/|u| − v/|v|‖ of the weights of two units is at most ANGLE; units that differ are left after a few inputs. */
function areCopies(
  values: Float32Array,
  [u, v]: [number, number],
  norms: Float64Array,
  units: number,
): boolean {
  let sum = 0;
  for (let at = 0; at < values.length && sum <= ANGLE ** 2; at += units)
    sum += (values[at + u]! / norms[u]! - values[at + v]! / norms[v]!) ** 2;
  return sum <= ANGLE ** 2;
}
