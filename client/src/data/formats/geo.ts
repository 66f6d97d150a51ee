import type { Cell } from '@regulon/shared/genomics';
import { cellsOf } from '../cells.js';
import type { MatrixSink, ReadOptions } from '../stream/index.js';
import { readPreset } from './delimited.js';

/**
 * A GEO series matrix: attributes of series and samples, then a table between its markers. Latin-1 is understood.
 *
 * @throws as `readDelimited`
 */
export async function readSeriesMatrix(path: string, options: ReadOptions, sink: MatrixSink): Promise<void> {
  const attributes = new SampleAttributes();
  const lines = betweenMarkers('!series_matrix_table_begin', '!series_matrix_table_end', (line) =>
    attributes.add(line),
  );
  await readPreset(path, options, sink, {
    ...{ format: 'GEO series matrix', rows: 'genes', latin1: true, select: lines },
    columnTable: (names) => attributes.table(names),
  });
}

/** A GEO data set (GDS): a table of samples, and subsets of them that are their labels. @throws as `readDelimited` */
export async function readGeoDataset(path: string, options: ReadOptions, sink: MatrixSink): Promise<void> {
  const subsets = new Subsets();
  const lines = betweenMarkers('!dataset_table_begin', '!dataset_table_end', (line) => subsets.add(line));
  await readPreset(path, options, sink, {
    ...{ format: 'GEO SOFT (data set)', rows: 'genes', latin1: true, select: lines },
    isText: (name) => name === 'IDENTIFIER',
    columnTable: (names) => subsets.table(names),
    notes: () => [`${subsets.count} subsets of samples`],
  });
}

/** Selects the lines between two markers; the others go elsewhere. */
function betweenMarkers(
  begin: string,
  end: string,
  other: (line: string) => void,
): (line: string) => boolean {
  let inside = false;
  return (line) => {
    if (line.startsWith(begin) || line.startsWith(end)) {
      inside = line.startsWith(begin);
      return false;
    }
    if (!inside) other(line);
    return inside;
  };
}

/** Lines `!Sample_key` of a series matrix, one cell a sample. */
class SampleAttributes {
  private samples: readonly string[] = [];
  private readonly rows: (readonly [string, readonly string[]])[] = [];

  add(line: string): void {
    if (!line.startsWith('!Sample_')) return;
    const [key = '', ...cells] = cellsOf(line, '\t') ?? [];
    const name = key.slice('!Sample_'.length);
    if (name === 'geo_accession') this.samples = cells;
    else if (/^(title|source_name|characteristics)/.test(name)) this.rows.push([name, cells]);
  }

  table(names: readonly string[]): Map<string, readonly Cell[]> {
    const table = new Map<string, readonly Cell[]>();
    for (const [name, cells] of this.rows) {
      const own = characteristicOf(name, cells);
      const at = (sample: string): Cell => own.cells[this.samples.indexOf(sample)] ?? null;
      const title = table.has(own.name) ? `${own.name} (${table.size + 1})` : own.name;
      table.set(title, names.map(at));
    }
    return table;
  }
}

/** `characteristics_ch1` holds `tissue: liver`: the key is the better name. */
function characteristicOf(name: string, cells: readonly string[]): { name: string; cells: readonly Cell[] } {
  const keys = new Set(cells.filter((cell) => cell !== '').map((cell) => /^([^:]{1,60}): /.exec(cell)?.[1]));
  const [key] = keys;
  if (!name.startsWith('characteristics') || keys.size !== 1 || key === undefined) return { name, cells };
  return { name: key, cells: cells.map((cell) => cell.slice(key.length + 2) || null) };
}

/** `^SUBSET` entities: what kind, which word, which samples. */
class Subsets {
  private readonly found: { type: string; word: string; samples: readonly string[] }[] = [];

  get count(): number {
    return this.found.length;
  }

  add(line: string): void {
    if (line.startsWith('^SUBSET')) this.found.push({ type: '', word: '', samples: [] });
    const last = this.found.at(-1);
    const [key, value] = line.split(/ = (.*)/s);
    if (!last || value === undefined) return;
    if (key === '!subset_type') last.type = value;
    else if (key === '!subset_description') last.word = value;
    else if (key === '!subset_sample_id') last.samples = value.split(',').map((id) => id.trim());
  }

  table(names: readonly string[]): Map<string, readonly Cell[]> {
    const types = [...new Set(this.found.map(({ type }) => type))].filter((type) => type !== '');
    return new Map(
      types.map((type) => [
        type,
        names.map(
          (name) => this.found.find((s) => s.type === type && s.samples.includes(name))?.word ?? null,
        ),
      ]),
    );
  }
}
