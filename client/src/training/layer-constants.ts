import type { ResolvedModel } from '@regulon/shared/models';
import type { ModelFiles } from './model-files.js';
import { type GraphOperator, readGeneGraph } from './ops/gene-graph.js';
import { readGeneLayout } from './ops/gene-layout.js';

/** What a layer takes from a file: a graph, or the place of each gene. */
export type LayerConstant = GraphOperator | Int32Array;

/**
 * Read the files that layers name, once for a model.
 *
 * @returns constants by layer name
 * @throws E_NOT_FOUND, E_DIGEST, E_DATA_FORMAT as `readModelTable`
 */
export function layerConstants(model: ResolvedModel, files: ModelFiles): Map<string, LayerConstant> {
  const constants = new Map<string, LayerConstant>();
  for (const { name, declaration, inputShape } of model.blocks.flatMap(({ layers }) => layers)) {
    const [genes = 1] = inputShape;
    if (declaration.type === 'chebyshev') constants.set(name, readGeneGraph(files, declaration.graph, genes));
    if (declaration.type === 'gene-grid' && declaration.layout) {
      constants.set(name, readGeneLayout(files, declaration.layout, genes, declaration));
    }
  }
  return constants;
}
