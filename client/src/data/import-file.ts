import { existsSync, mkdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { type Cell, panelDigest } from '@regulon/shared/genomics';
import { readerOf } from './formats/recognise.js';
import { geneNameFault } from './gene-names.js';
import { type LabelFile, readLabelFile } from './label-table.js';
import {
  contradicts,
  guessRows,
  type Inspection,
  inspectionOf,
  type MatrixProfile,
  Profiler,
  type Scale,
} from './profile/index.js';
import { writeReport } from './report/index.js';
import { patientNumbers, verifyHarmless, verifyPatients } from './screening.js';
import { sha256OfFile } from './store/file-digest.js';
import { type StoreAxis, type StoreManifest, StoreWriter } from './store/index.js';
import type { MatrixHeader, MatrixSink, ReadOptions, RowBlock, Rows } from './stream/index.js';

/** How a person may help the inspection of a file. */
export interface InspectOptions extends ReadOptions {
  readonly labels?: string;
  readonly orientation?: 'genes-by-units' | 'units-by-genes';
}

/** How a file becomes a store. */
export interface ImportOptions extends InspectOptions {
  /** name of the dataset */
  readonly name: string;
  /** the store becomes a folder of that name in here */
  readonly folder: string;
  /** default: the scale that the numbers seem to have */
  readonly scale?: Scale;
  /** annotations of units that are kept; no others are */
  readonly keepColumns?: readonly string[];
  /** the annotation that names the patient of each unit; `none`: every unit is a patient of its own */
  readonly patientColumn?: string;
  /** replace a store of that name */
  readonly replace?: boolean;
}

/** Look at a file without keeping anything. @throws the errors of the importers */
export async function inspectFile(path: string, options: InspectOptions = {}): Promise<Inspection> {
  const { labels, declared } = await helpOf(options);
  const profiler = new Profiler();
  await readerOf(path)(path, options, profiler);
  return inspectionOf(profileOf(profiler, path), { labels, declared });
}

/**
 * Import a file into a store, all or nothing.
 *
 * @throws E_ARGUMENT when the store exists, or nothing tells what the rows are
 * @throws E_DATA_DUPLICATE, E_DATA_FORMAT, E_DATA_SCALE naming file, place and rule, never a value
 */
export async function importFile(
  path: string,
  options: ImportOptions,
): Promise<{ manifest: StoreManifest; inspection: Inspection; folder: string }> {
  const folder = join(options.folder, options.name);
  if (existsSync(folder) && options.replace !== true) {
    throw new RegulonError('E_ARGUMENT', `the dataset ${options.name} exists already`, {
      hint: 'choose another name, or --force',
    });
  }
  const help = await helpOf(options);
  const read = readerOf(path);
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const profiler = new Profiler();
  const writer = new StoreWriter(folder, (header, names) => rowsOf(header, names, help));
  try {
    await read(path, options, new Both(profiler, writer));
    writer.end();
    const profile = profileOf(profiler, path);
    const inspection = inspectionOf(profile, { labels: help.labels, declared: writer.rowsAre });
    const axes = axesOf(profile, writer.rowsAre, options, help.labels);
    verifyNames(profile, writer.rowsAre);
    const scale = scaleOf(inspection, options.scale);
    const manifest = writer.finish(
      {
        manifest: {
          ...{ schema: 'regulon.store/1', name: options.name, scale, missing: inspection.missing },
          source: {
            file: basename(path),
            bytes: statSync(path).isFile() ? statSync(path).size : 0,
            sha256: statSync(path).isFile() ? await sha256OfFile(path) : null,
            format: inspection.format,
          },
          imported: new Date().toISOString(),
          ...{ genes: inspection.genes, units: inspection.units },
          panel: hex(panelDigest(axes.genes.names)),
          patientColumn: patientOf(options.patientColumn),
        },
        ...axes,
      },
      options.replace === true,
    );
    writeReport(folder, profile, inspection);
    return { manifest, inspection, folder };
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

interface Help {
  readonly labels: LabelFile | undefined;
  readonly declared: Rows | undefined;
}

async function helpOf({ labels, orientation }: InspectOptions): Promise<Help> {
  return {
    labels: labels === undefined ? undefined : await readLabelFile(labels),
    declared: orientation && (orientation === 'genes-by-units' ? 'genes' : 'units'),
  };
}

/** @throws E_ARGUMENT where only the shape of the table would tell */
function rowsOf(header: MatrixHeader, firstNames: readonly string[], { labels, declared }: Help): Rows {
  if (declared) return declared;
  if (header.rows) return header.rows;
  const { rows, because } = guessRows(firstNames, header.columnNames, labels && new Set(labels.rows.keys()));
  if (because !== 'shape') return rows;
  throw new RegulonError(
    'E_ARGUMENT',
    `${header.file}: the names do not tell whether rows are genes or units`,
    {
      hint: 'repeat it with --orientation genes-by-units or --orientation units-by-genes',
    },
  );
}

class Both implements MatrixSink {
  constructor(
    private readonly one: MatrixSink,
    private readonly other: MatrixSink,
  ) {}

  begin(header: MatrixHeader): void {
    this.one.begin(header);
    this.other.begin(header);
  }

  rows(block: RowBlock): void {
    this.one.rows(block);
    this.other.rows(block);
  }
}

function profileOf(profiler: Profiler, path: string): MatrixProfile {
  const profile = profiler.profile();
  if (profile && profile.cells > 0) return profile;
  throw new RegulonError('E_DATA_FORMAT', `${basename(path)}: holds no numbers`);
}

/** @throws E_DATA_DUPLICATE, E_DATA_FORMAT */
function verifyNames({ header, rows, columns }: MatrixProfile, rowsAre: Rows): void {
  for (const axis of [rows, columns]) {
    const [first] = axis.duplicates;
    if (first) {
      const places = first.places.slice(0, 3).join(', ');
      throw new RegulonError('E_DATA_DUPLICATE', `${header.file}: ${places} have the same name`, {
        hint: 'make the names unique, or name the column that holds unique ones with --id',
      });
    }
  }
  const genes = rowsAre === 'genes' ? rows : columns;
  genes.names.forEach((name, i) => {
    const rule = name === '' || /[\r\n]/.test(name) ? 'the gene has no name' : geneNameFault(name);
    if (rule) throw new RegulonError('E_DATA_FORMAT', `${header.file}: gene ${i + 1}: ${rule}`);
  });
}

/** @throws E_ARGUMENT, E_DATA_IDENTIFIER */
function axesOf(
  { header, rows, columns }: MatrixProfile,
  rowsAre: Rows,
  { keepColumns = [], patientColumn }: ImportOptions,
  labels: LabelFile | undefined,
): { genes: StoreAxis; units: StoreAxis } {
  const [genes, units] = rowsAre === 'genes' ? [rows, columns] : [columns, rows];
  const table = new Map(units.table);
  labels?.columnNames.forEach((name, c) => {
    table.set(
      name,
      units.names.map((id) => labels.rows.get(id)?.[c] ?? null),
    );
  });
  const cellsOf = (name: string): readonly Cell[] => {
    const cells = table.get(name);
    if (!cells) throw new RegulonError('E_ARGUMENT', `there is no annotation ${name} of the units`);
    return cells;
  };
  verifyPatients(header.file, table, patientColumn);
  verifyHarmless(header.file, null, units.names);
  const kept: Record<string, Cell[]> = {};
  for (const name of keepColumns) {
    verifyHarmless(header.file, name, cellsOf(name));
    kept[name] = [...cellsOf(name)];
  }
  const patient = patientOf(patientColumn);
  if (patient !== null) kept[patient] = patientNumbers(cellsOf(patient));
  return {
    genes: { names: [...genes.names], columns: {} },
    units: { names: [...units.names], columns: kept },
  };
}

const patientOf = (asked: string | undefined): string | null =>
  asked === undefined || asked === 'none' ? null : asked;

/** @throws E_DATA_SCALE */
function scaleOf({ scale, file, negative, fractional }: Inspection, declared: Scale | undefined): Scale {
  if (declared === undefined || !contradicts(declared, scale)) return declared ?? scale;
  const why =
    declared === 'counts'
      ? `${negative} values are negative and ${fractional} fractional`
      : `the numbers look like ${scale}`;
  throw new RegulonError('E_DATA_SCALE', `${file}: declared ${declared}, but ${why}`);
}
