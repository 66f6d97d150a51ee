import { basename } from 'node:path';
import type { Cell } from '@regulon/shared/genomics';
import { cellsOf } from '../cells.js';
import type { MatrixSink, ReadOptions } from '../stream/index.js';
import { faultAt } from '../table-reader.js';
import { readPreset } from './delimited.js';

/**
 * GCT 1.2 and 1.3: a version, the sizes, then names, descriptions and numbers; 1.3 has annotations on both sides.
 *
 * @throws E_DATA_FORMAT when the sizes are not those of the table; as `readDelimited`
 */
export async function readGct(path: string, options: ReadOptions, sink: MatrixSink): Promise<void> {
  const file = basename(path);
  let sizes: readonly number[] = [];
  let header: readonly string[] = [];
  const table = new Map<string, readonly string[]>();
  let rows = 0;
  const select = (line: string, number: number): boolean => {
    if (number === 1) return false;
    if (number === 2) {
      sizes = line.trim().split(/\s+/).map(Number);
      return false;
    }
    const [, , rowColumns = 1, columnRows = 0] = sizes;
    if (number === 3) header = cellsOf(line, '\t') ?? [];
    else if (number <= 3 + columnRows) {
      const [name = '', ...cells] = cellsOf(line, '\t') ?? [];
      table.set(name, cells.slice(rowColumns));
      return false;
    } else rows++;
    return true;
  };
  await readPreset(path, options, sink, {
    ...{ format: 'GCT', rows: 'genes', select },
    isText: (_, position) => position < (sizes[2] ?? 1),
    columnTable: (names) => {
      if (names.length !== sizes[1])
        throw faultAt(file, 2, `not the size of a table of ${names.length} samples`);
      const first = header.length - names.length - 1 - (sizes[2] ?? 1);
      return new Map(
        [...table].map(([name, cells]) => [name, cells.slice(first).map((c): Cell => c || null)]),
      );
    },
  });
  if (rows !== sizes[0]) throw faultAt(file, 2, `not the size of a table of ${rows} rows`);
}

/** featureCounts: a comment, then `Geneid Chr Start End Strand Length` before the samples. @throws as `readDelimited` */
export async function readFeatureCounts(path: string, options: ReadOptions, sink: MatrixSink): Promise<void> {
  const place = new Set(['Chr', 'Start', 'End', 'Strand', 'Length']);
  await readPreset(path, options, sink, {
    ...{ format: 'featureCounts', rows: 'genes', select: (line) => !line.startsWith('#') },
    isIgnored: (name) => place.has(name),
  });
}
