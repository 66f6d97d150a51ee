import { modelDeclarationSchema, sizeOf } from '@regulon/shared/models';
import { drawer } from './gradient-check.support.js';
import { caseFiles, type LayerCase } from './layer-cases.support.js';
import { Network } from './network.js';

/** The small model of a case. */
export function networkOf({ inputShape, layers, outputs = 2, aggregate = undefined }: LayerCase): Network {
  const block = { name: 'trunk', layers, ...(aggregate ? { aggregate } : {}) };
  return new Network(modelDeclarationSchema.parse({ blocks: [block] }), { inputShape, outputs }, caseFiles);
}

/** Seeded weights, units and targets for it, flat. */
export function dataOf(network: Network, { ids }: LayerCase, batch: number) {
  const draw = drawer(3);
  const weights = draw(
    network.specs.reduce((n, spec) => n + spec.size, 0),
    0.7,
  );
  // running variances are positive
  for (const { name, offset, size } of network.specs) {
    if (name.endsWith('running-variance')) weights.fill(0.8, offset, offset + size);
  }
  const numbers = draw(batch * sizeOf(network.frame.inputShape));
  const x = ids ? numbers.map((u) => Math.floor(((u + 1) / 2) * (ids + 1)) - 1) : numbers;
  return { weights, x, targets: draw(batch * sizeOf(network.outputShape)) };
}
