import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { cellFault } from '../cell-fault.js';
import { numberOf } from '../number-cell.js';
import { BlockBuffer, type MatrixSink, type ReadOptions } from '../stream/index.js';
import { faultAt } from '../table-reader.js';
import { textLines } from '../text-lines.js';
import { readCel } from './cel.js';

/** What the file of one unit holds. */
interface UnitFile {
  readonly format: string;
  readonly features: readonly string[];
  readonly values: Float64Array;
}
type UnitReader = (path: string, options: ReadOptions) => Promise<UnitFile>;

const MAX_FEATURES = 5_000_000;

/** File names of programs that write one file a unit. */
const KINDS: readonly (readonly [RegExp, UnitReader])[] = [
  [/ReadsPerGene\.out\.tab(\.gz)?$/, readStar],
  [/quant(\.genes)?\.sf(\.gz)?$/, readSalmon],
  [/\.cel(\.gz)?$/i, async (path) => celUnit(path)],
];

const kindOf = (name: string): UnitReader | undefined => KINDS.find(([pattern]) => pattern.test(name))?.[1];

/** Whether a file holds one unit. */
export const isUnitFile = (path: string): boolean => kindOf(basename(path)) !== undefined;

/** Files of a folder that hold one unit each, all of one kind; quant.sf lies in a folder of its unit's name. */
export function unitFilesIn(folder: string): string[] {
  const paths = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isFile()) return [join(folder, entry.name)];
    return entry.isDirectory() ? [join(folder, entry.name, 'quant.sf')].filter(isThere) : [];
  });
  const found = paths.filter(isUnitFile).sort();
  const kind = found[0] === undefined ? undefined : kindOf(basename(found[0]));
  return found.filter((path) => kindOf(basename(path)) === kind);
}

function isThere(path: string): boolean {
  return readdirSync(join(path, '..')).includes(basename(path));
}

/**
 * Read STAR, Salmon or CEL: a file is a unit, and all files of a folder have the same features.
 *
 * @throws E_DATA_FORMAT naming file, line and rule
 */
export async function readUnitFiles(
  paths: readonly string[],
  options: ReadOptions,
  sink: MatrixSink,
): Promise<void> {
  let buffer: BlockBuffer | undefined;
  let position = new Map<string, number>();
  for (const [done, path] of paths.entries()) {
    const read = kindOf(basename(path));
    if (!read) throw new RegulonError('E_INTERNAL', 'a file of no known kind was asked for');
    const { format, features, values } = await read(path, options);
    const file = basename(path);
    if (!buffer) {
      position = new Map(features.map((feature, i) => [feature, i]));
      buffer = new BlockBuffer(sink, features.length);
      sink.begin({
        ...{ format, file, rows: 'units', columnNames: features, columnTable: new Map(), rowColumns: [] },
        ...{
          columnPlace: (column) => `feature ${column + 1}`,
          notes: [`a file a unit, ${paths.length} in all`],
        },
      });
    }
    if (features.length !== position.size || features.some((feature) => !position.has(feature))) {
      throw new RegulonError('E_DATA_FORMAT', `${file}: other features than in ${basename(paths[0] ?? '')}`);
    }
    const row = buffer.add(unitOf(path), file);
    features.forEach((feature, i) => (row[position.get(feature) ?? 0] = values[i] ?? NaN));
    options.progress?.((done + 1) / paths.length);
  }
  buffer?.flush();
}

/** Name of the unit: that of its file, or of its folder when all files have one name. */
function unitOf(path: string): string {
  const name = basename(path).replace(/\.gz$/, '');
  if (/^quant(\.genes)?\.sf$/.test(name)) return basename(join(path, '..'));
  return name.replace(/[._]?ReadsPerGene\.out\.tab$|\.(quant\.)?sf$|(\.calvin)?\.cel$/i, '');
}

const STRANDS = ['unstranded', 'forward', 'reverse'];

/** STAR: four summary rows `N_…`, then gene and three counts. */
async function readStar(path: string, options: ReadOptions): Promise<UnitFile> {
  const column = chosen(basename(path), options.column, STRANDS, 'unstranded');
  const rows = await tableOf(path, false, (cells, fault) => {
    if (cells.length !== 4) throw fault('not gene and three counts');
    return cells[0]?.startsWith('N_') === true
      ? null
      : [cells[0] ?? '', cells[1 + STRANDS.indexOf(column)] ?? ''];
  });
  return { ...rows, format: `STAR (${column})` };
}

/** Salmon: `Name Length EffectiveLength TPM NumReads`. */
async function readSalmon(path: string, options: ReadOptions): Promise<UnitFile> {
  const column = chosen(basename(path), options.column, ['NumReads', 'TPM'], 'NumReads');
  let at = -1;
  const rows = await tableOf(path, true, (cells, fault, isHeader) => {
    if (isHeader) {
      at = cells.indexOf(column);
      if (cells[0] !== 'Name' || at < 0) throw fault(`no header with Name and ${column}`);
      return null;
    }
    return [cells[0] ?? '', cells[at] ?? ''];
  });
  return { ...rows, format: `Salmon (${column})` };
}

async function celUnit(path: string): Promise<UnitFile> {
  const { version, columns, intensities } = readCel(path);
  const features = Array.from(intensities, (_, i) => `x${i % columns}y${Math.floor(i / columns)}`);
  return { format: `CEL (${version})`, features, values: intensities };
}

/** @throws E_ARGUMENT naming the columns that there are */
function chosen(file: string, asked: string | undefined, known: readonly string[], usual: string): string {
  const column = asked ?? usual;
  if (known.includes(column)) return column;
  throw new RegulonError('E_ARGUMENT', `${file}: there is no column ${column}`, {
    hint: `one of ${known.join(', ')}`,
  });
}

type PickCells = (
  cells: readonly string[],
  fault: (rule: string) => RegulonError,
  isHeader: boolean,
) => readonly [string, string] | null;

async function tableOf(path: string, headed: boolean, pick: PickCells): Promise<Omit<UnitFile, 'format'>> {
  const file = basename(path);
  const features: string[] = [];
  const values: number[] = [];
  for await (const { first, lines } of textLines(path)) {
    lines.forEach((text, i) => {
      const line = first + i;
      if (text === '') return;
      const picked = pick(text.split('\t'), (rule) => faultAt(file, line, rule), headed && line === 1);
      if (!picked) return;
      const value = numberOf(picked[1].trim(), false);
      if (typeof value !== 'number') throw cellFault(file, line, 2, value);
      if (features.length >= MAX_FEATURES) throw faultAt(file, line, `more than ${MAX_FEATURES} features`);
      features.push(picked[0]);
      values.push(value);
    });
  }
  return { features, values: Float64Array.from(values) };
}
