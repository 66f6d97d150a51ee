import { canonicalJson, hashJson, utf8 } from '../crypto/index.js';
import type { ModelDeclaration } from './declaration.js';
import { type ModelFrame, resolveLayers, type WeightInit } from './shapes.js';

/** One weight of a model, at its fixed place in the flat float32 vector of all weights. */
export interface WeightSpec {
  /** `<block>/<layer>/<role>`, unique in the model */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32';
  readonly init: WeightInit;
  readonly block: string;
  readonly trainable: boolean;
  /** how sites combine it; `sum` = average weighted by units */
  readonly aggregate: 'sum';
  /** number of elements */
  readonly size: number;
  /** position of the first element in the flat vector, in elements */
  readonly offset: number;
}

/**
 * The weights of a declared model in their fixed order: layer by layer, in a layer kernel, recurrent kernel, bias.
 *
 * @param frame shape of one prepared unit and width of the output
 * @throws E_MODEL_SHAPE naming the layer and the shapes
 */
export function manifestOf(declaration: ModelDeclaration, frame: ModelFrame): WeightSpec[] {
  const specs: WeightSpec[] = [];
  let offset = 0;
  for (const layer of resolveLayers(declaration, frame)) {
    for (const { role, shape, init } of layer.weights) {
      const size = shape.reduce((a, b) => a * b, 1);
      const name = `${layer.name}/${role}`;
      const fixed = { dtype: 'float32', trainable: true, aggregate: 'sum' } as const;
      specs.push({ name, shape, init, block: layer.block, size, offset, ...fixed });
      offset += size;
    }
  }
  return specs;
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
  }));
  return hashJson('weightManifest', utf8(canonicalJson(rows)));
}
