import { badRow, type ModelFiles, readModelTable } from '../model-files.js';

/**
 * Places of genes on a grid, from a file with the heading `gene row column` (tab-separated, from 0).
 *
 * @param genes number of genes of the layer; each needs a place of its own
 * @returns position of each gene, row · columns + column
 * @throws E_NOT_FOUND, E_DIGEST, E_DATA_FORMAT as `readModelTable`
 */
export function readGeneLayout(
  files: ModelFiles,
  digest: string,
  genes: number,
  { rows: high, columns: wide }: { rows: number; columns: number },
): Int32Array {
  const { rows, positionOf } = readModelTable(files, digest, ['gene', 'row', 'column'], genes);
  const places = new Int32Array(genes).fill(-1);
  const taken = new Set<number>();
  rows.forEach(([gene = '', ...cell], i) => {
    const [row = -1, column = -1] = cell.map(Number);
    const inside = Number.isInteger(row) && Number.isInteger(column) && row >= 0 && column >= 0;
    if (!inside || row >= high || column >= wide)
      throw badRow(digest, i + 2, `lies outside of ${high} × ${wide}`);
    const position = positionOf(gene);
    if (position < 0) return;
    const place = row * wide + column;
    if (taken.has(place) || places[position]! >= 0) throw badRow(digest, i + 2, 'repeats a gene or a place');
    taken.add(place);
    places[position] = place;
  });
  const without = places.filter((place) => place < 0).length;
  if (without > 0) throw badRow(digest, rows.length + 1, `is the last, and ${without} genes have no place`);
  return places;
}
