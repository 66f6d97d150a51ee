import { canonicalJson, hashJson, utf8 } from '../crypto/index.js';
import type { ModelDeclaration } from './declaration.js';
import type { ModelFrame } from './frame.js';
import { resolveModel } from './resolve.js';
import type { ResolvedBlock } from './resolved.js';
import { type LayerWeight, sizeOf, type WeightInit } from './shape.js';

/** One weight of a model, at its fixed place in the flat float32 vector of all weights. */
export interface WeightSpec {
  /** `<block>/<layer>/<role>`, unique in the model */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32';
  readonly init: WeightInit;
  readonly block: string;
  /** false: frozen, or a running statistic */
  readonly trainable: boolean;
  /** how sites combine it: `sum` = average weighted by units; `owners` = weighted sum of its owners over `denominator`; `local` = not at all */
  readonly aggregate: 'sum' | 'owners' | 'local';
  /** names of the sites that train it; absent: all */
  readonly owners?: readonly string[];
  /** of weights with owners: what the sum of their weighted updates is divided by */
  readonly denominator?: number;
  /** factor of the learning rate */
  readonly rate: number;
  /** number of elements */
  readonly size: number;
  /** position of the first element in the flat vector, in elements */
  readonly offset: number;
}

type Placed = Omit<WeightSpec, 'offset'>;

/**
 * The weights of a declared model in their fixed order: block by block, layer by layer, in a layer kernel, recurrent
 * kernel, bias; those that never leave their site after all others.
 *
 * @param frame shape of one prepared unit and width of the output
 * @throws E_MODEL_SHAPE naming the layer and the shapes
 */
export function manifestOf(declaration: ModelDeclaration, frame: ModelFrame): WeightSpec[] {
  const placed = resolveModel(declaration, frame).blocks.flatMap(weightsOf);
  let offset = 0;
  return [
    ...placed.filter(({ aggregate }) => aggregate !== 'local'),
    ...placed.filter(({ aggregate }) => aggregate === 'local'),
  ].map((weight) => {
    const at = offset;
    offset += weight.size;
    return { ...weight, offset: at };
  });
}

function weightsOf({ name, declaration, merge, layers }: ResolvedBlock): Placed[] {
  const { freeze, rate, aggregate, owners, denominator } = declaration;
  const place = (layer: string, { role, shape, init, trainable = true }: LayerWeight): Placed => ({
    ...{ name: `${layer}/${role}`, shape, dtype: 'float32', init, block: name, size: sizeOf(shape) },
    ...{ trainable: trainable && !freeze, rate, aggregate, ...(owners ? { owners } : {}) },
    ...(denominator === undefined ? {} : { denominator }),
  });
  return [...(merge ? [merge] : []), ...layers].flatMap((layer) =>
    layer.weights.map((weight) => place(layer.name, weight)),
  );
}

/** The weights that travel: what is summed over sites, a prefix of the manifest. */
export function travellingWeights(specs: readonly WeightSpec[]): WeightSpec[] {
  return specs.filter(({ aggregate }) => aggregate !== 'local');
}

/** True if weight decay applies: to kernels and tables, not to biases and the scales of norms. */
export function decays({ name }: WeightSpec): boolean {
  return !/\/(bias|scale|shift)$/.test(name);
}

/** Number of float32 parameters of a manifest (d of the secure sum). */
export function parameterCount(specs: readonly WeightSpec[]): number {
  return specs.reduce((n, spec) => n + spec.size, 0);
}

/** Digest of a manifest, 32 bytes: H_x("weightManifest") over its canonical JSON. */
export function manifestDigest(specs: readonly WeightSpec[]): Uint8Array {
  const rows = specs.map((spec) => ({
    name: spec.name,
    shape: spec.shape.map(String),
    dtype: spec.dtype,
    init: spec.init,
    block: spec.block,
    trainable: spec.trainable,
    aggregate: spec.aggregate,
    ...(spec.owners ? { owners: spec.owners } : {}),
    ...(spec.denominator === undefined ? {} : { denominator: String(spec.denominator) }),
  }));
  return hashJson('weightManifest', utf8(canonicalJson(rows)));
}
