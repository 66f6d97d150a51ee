import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { it } from '@jest/globals';
import type { UnitsView } from './view.js';

const folder = process.env['REGULON_DATA'] ?? join(process.cwd(), '..', 'shared', 'data');

/** A test that needs the shared data; without them it is skipped by name. */
export const withData: (name: string, body: () => void) => void = existsSync(join(folder, 'golden'))
  ? it
  : it.skip;

/** Lines of a file of the shared data, unpacked. */
export function linesOf(path: string): string[] {
  const bytes = readFileSync(join(folder, path));
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text.split(/\r?\n/).filter((line) => line !== '');
}

const unquoted = (cell: string): string => cell.replace(/^"(.*)"$/, '$1');

/** Cells of a line; commas inside double quotes stay. */
export function cellsOf(line: string, separator = ','): string[] {
  if (!line.includes('"')) return line.split(separator);
  return (line.match(separator === ',' ? /("[^"]*"|[^,]*)(,|$)/g : /("[^"]*"|[^\t]*)(\t|$)/g) ?? [])
    .map((cell) => unquoted(cell.replace(/[,\t]$/, '')))
    .slice(0, line.endsWith(separator) ? undefined : -1);
}

/** A table with row names in its first column. */
export interface Table {
  readonly columns: string[];
  readonly rows: string[];
  /** row-major [rows, columns]; NaN for what is no number */
  readonly values: number[][];
}

/** @param skip further id columns after the row names */
export function tableOf(path: string, separator = ',', skip = 0): Table {
  const [header = '', ...lines] = linesOf(path);
  const cells = lines.map((line) => cellsOf(line, separator));
  const names = cellsOf(header, separator);
  const width = (cells[0]?.length ?? 0) - 1;
  return {
    columns: names.slice(names.length - width + skip),
    rows: cells.map((row) => row[0] ?? ''),
    values: cells.map((row) => row.slice(1 + skip).map(Number)),
  };
}

/** Columns of a table as units of a site. */
export function siteOf(table: Table, columns: readonly number[], more: Partial<UnitsView> = {}): UnitsView {
  const genes = table.rows.length;
  const values = new Float64Array(columns.length * genes);
  columns.forEach((column, i) =>
    table.values.forEach((row, g) => (values[i * genes + g] = row[column] ?? NaN)),
  );
  return { n: columns.length, genes, classes: 0, values, ...more };
}

/** One clients' counts of the breast cancer data, with its design by unit. */
export function brcaTable(client: number): Table & { design: Map<string, Map<string, number>> } {
  const counts = tableOf(`tcga_brca_flimma/c${client}/counts.tsv.gz`, '\t');
  const [names = '', ...lines] = linesOf(`tcga_brca_flimma/c${client}/design.tsv`);
  const columns = names.split('\t');
  const design = new Map(
    lines.map((line) => {
      const cells = line.split('\t');
      return [
        cells[0] ?? '',
        new Map(columns.map((name, c) => [name, Number(cells[c + cells.length - columns.length])])),
      ];
    }),
  );
  return { ...counts, design };
}

const DONORS = ['D6', 'F7', 'M8'];

/** Quartet reference materials of one omic: a site a batch, the donor as three indicators against D5. */
export function quartetSites(omic: 'Metabolite' | 'Protein'): {
  sites: UnitsView[];
  columns: number[][];
  /** number of the library of its donor and batch, 1 to 3, of each unit */
  replicates: number[][];
  table: Table;
} {
  const table =
    omic === 'Protein'
      ? tableOf('quartet/figshare/Proteomics_fulldataset_log2FOT_r3489c180.csv.gz')
      : tableOf('quartet/figshare/Metabolomics_fulldataset_log2expr_r71c180.csv.gz', ',', 1);
  const plain = (name: string): string => name.replaceAll(/[^A-Za-z0-9]/g, '');
  const [header = '', ...lines] = linesOf('quartet/figshare/meta_full_dataset_3omics.csv');
  const names = header.split(',');
  const at = (name: string): number => names.indexOf(name);
  const meta = new Map(
    lines
      .map((line) => line.split(','))
      .filter((cells) => cells[at('datatype')] === omic)
      .map((cells) => [
        plain(cells[at('library')] ?? ''),
        {
          batch: cells[at('batch')] ?? '',
          donor: cells[at('sample')] ?? '',
          replicate: Number(cells[at('rep')]),
        },
      ]),
  );
  const found = table.columns.map((name) => meta.get(plain(name)) ?? { batch: '', donor: '', replicate: 0 });
  const batches = [...new Set(found.map(({ batch }) => batch))];
  const columns = batches.map((batch) => [...found.keys()].filter((c) => found[c]?.batch === batch));
  const chosen = omic === 'Protein' ? varying(table, columns).slice(0, 300) : [...table.rows.keys()];
  const part: Table = {
    columns: table.columns,
    rows: chosen.map((g) => table.rows[g] ?? ''),
    values: chosen.map((g) => table.values[g] ?? []),
  };
  const sites = columns.map((own) =>
    siteOf(part, own, {
      covariates: Float64Array.from(
        own.flatMap((c) => DONORS.map((donor) => (found[c]?.donor === donor ? 1 : 0))),
      ),
    }),
  );
  const replicates = columns.map((own) => own.map((c) => found[c]?.replicate ?? 0));
  return { sites, columns, replicates, table: part };
}

/** Rows that take two values inside each group of columns. */
function varying(table: Table, groups: readonly number[][]): number[] {
  return [...table.rows.keys()].filter((g) =>
    groups.every((group) => new Set(group.map((c) => table.values[g]?.[c])).size > 1),
  );
}
