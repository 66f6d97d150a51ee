import { CO_EXPRESSION } from '@regulon/shared/models';
import { badRow, type ModelFiles, readCoExpression, readModelTable } from '../model-files.js';

/** A symmetric sparse matrix: values[i] at (rows[i], columns[i]). */
export interface GraphOperator {
  readonly size: number;
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float32Array;
}

/**
 * The scaled Laplacian −D^(−½)·A·D^(−½) of a file of edges.
 *
 * Heading `a b weight`, tab-separated; an edge stands once, or in both directions with one weight. Edges to genes that
 * the model does not read are left out; a gene without edges keeps a loop to itself.
 *
 * @param digest of the file, or `co-expression`: the graph of the preparation
 * @param genes number of genes of the layer
 * @throws E_NOT_FOUND, E_DIGEST, E_DATA_FORMAT as `readModelTable`
 */
export function readGeneGraph(files: ModelFiles, digest: string, genes: number): GraphOperator {
  const columns = ['a', 'b', 'weight'];
  const { rows, positionOf } =
    digest === CO_EXPRESSION
      ? readCoExpression(files, columns, genes)
      : readModelTable(files, digest, columns, genes);
  const edges = new Map<number, number>();
  rows.forEach(([a = '', b = '', text = ''], i) => {
    const weight = Number(text);
    if (!(weight > 0 && weight < Infinity)) throw badRow(digest, i + 2, 'has a weight that is not positive');
    if (a === b) throw badRow(digest, i + 2, 'joins a gene with itself');
    const [from, to] = [positionOf(a), positionOf(b)];
    if (from < 0 || to < 0) return;
    const key = Math.min(from, to) * genes + Math.max(from, to);
    if ((edges.get(key) ?? weight) !== weight) throw badRow(digest, i + 2, 'contradicts an earlier row');
    edges.set(key, weight);
  });
  return laplacian(edges, genes);
}

function laplacian(edges: ReadonlyMap<number, number>, genes: number): GraphOperator {
  const degree = new Float64Array(genes);
  const ends = (key: number): [number, number] => [Math.floor(key / genes), key % genes];
  for (const [key, weight] of edges) {
    for (const end of ends(key)) degree[end] = degree[end]! + weight;
  }
  const cells: [row: number, column: number, value: number][] = [];
  for (const [key, weight] of edges) {
    const [a, b] = ends(key);
    const value = -weight / Math.sqrt(degree[a]! * degree[b]!);
    cells.push([a, b, value], [b, a, value]);
  }
  degree.forEach((d, gene) => {
    if (d === 0) cells.push([gene, gene, -1]);
  });
  // one order whatever the order of the file: sums are the same, bit for bit
  cells.sort((x, y) => x[0] - y[0] || x[1] - y[1]);
  return {
    size: genes,
    rows: Int32Array.from(cells, ([row]) => row),
    columns: Int32Array.from(cells, ([, column]) => column),
    values: Float32Array.from(cells, ([, , value]) => value),
  };
}
