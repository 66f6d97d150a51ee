import { basename } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { ownText } from '../cells.js';
import { BlockBuffer, type MatrixSink, type ReadOptions } from '../stream/index.js';
import { faultAt } from '../table-reader.js';
import { textLines } from '../text-lines.js';

/** Columns of a VCF before its samples. */
const FIXED = 9;

/**
 * VCF: variants × samples, the number of alternative alleles of each genotype; an absent genotype is missing.
 *
 * Positions count from 1. A variant is named by its id, or by `chromosome:position:reference:alternative`.
 *
 * @throws E_DATA_FORMAT naming file, line, column and rule
 */
export async function readVcf(path: string, options: ReadOptions, sink: MatrixSink): Promise<void> {
  const file = basename(path);
  let buffer: BlockBuffer | undefined;
  let width = 0;
  for await (const { first, lines } of textLines(path, { progress: options.progress })) {
    for (const [i, line] of lines.entries()) {
      if (line === '' || line.startsWith('##')) continue;
      const cells = line.split('\t');
      if (!buffer) {
        if (!line.startsWith('#CHROM') || cells.length <= FIXED)
          throw faultAt(file, first + i, 'no header with samples');
        width = cells.length;
        buffer = new BlockBuffer(sink, width - FIXED);
        sink.begin({
          ...{ format: 'VCF (alternative alleles)', file, rows: 'genes', columnNames: cells.slice(FIXED) },
          ...{ columnPlace: (column) => `column ${column + FIXED + 1}`, columnTable: new Map() },
          ...{ rowColumns: ['position', 'filter'], notes: ['variants are the features'] },
        });
      } else variant(cells, { file, line: first + i, width }, buffer);
    }
  }
  if (!buffer) throw new RegulonError('E_DATA_FORMAT', `${file}: has no header`);
  buffer.flush();
}

function variant(
  cells: readonly string[],
  { file, line, width }: { file: string; line: number; width: number },
  buffer: BlockBuffer,
): void {
  if (cells.length !== width) throw faultAt(file, line, `${cells.length} cells instead of ${width}`);
  const [
    chromosome = '',
    position = '',
    id = '',
    reference = '',
    alternative = '',
    ,
    filter = '',
    ,
    format = '',
  ] = cells;
  if (!/^\d+$/.test(position)) throw faultAt(file, line, 'no position', { column: 2 });
  if (!/^[ACGTN]+$/i.test(reference))
    throw faultAt(file, line, 'no reference of A, C, G, T, N', { column: 4 });
  const genotype = format.split(':').indexOf('GT');
  if (genotype < 0) throw faultAt(file, line, 'no genotypes (GT)', { column: 9 });
  const place = `${chromosome}:${position}`;
  const name = id === '.' || id === '' ? `${place}:${reference}:${alternative}` : id;
  const row = buffer.add(ownText(name), `line ${line}`, [ownText(place), ownText(filter)]);
  for (let s = 0; s < row.length; s++) {
    row[s] = allelesOf(cells[FIXED + s]?.split(':')[genotype] ?? '.', () =>
      faultAt(file, line, 'no genotype', { column: FIXED + s + 1 }),
    );
  }
}

/** Number of alternative alleles; NaN where one is unknown. */
function allelesOf(genotype: string, fault: () => Error): number {
  let count = 0;
  for (const allele of genotype.split(/[/|]/)) {
    if (allele === '.') return NaN;
    if (!/^\d+$/.test(allele)) throw fault();
    if (allele !== '0') count++;
  }
  return count;
}
