import type { ModelDeclaration } from './declaration.js';
import { CO_EXPRESSION } from './layers/graph.js';

/** Digests of the files that a model is made with (graphs, gene layouts), each once, as the plan names them. */
export function modelFilesOf({ blocks }: ModelDeclaration): string[] {
  const named = blocks
    .flatMap(({ layers }) => layers)
    .flatMap((layer) => {
      if (layer.type === 'chebyshev') return layer.graph === CO_EXPRESSION ? [] : [layer.graph];
      return layer.type === 'gene-grid' && layer.layout ? [layer.layout] : [];
    });
  return [...new Set(named)];
}
