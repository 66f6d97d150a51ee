import { existsSync, mkdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hex } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { type Cell, panelDigest } from '@regulon/shared/genomics';
import { NO_NUMBERS } from './formats/delimited.js';
import { readerOf } from './formats/recognise.js';
import { type GeneAxis, geneAxisOf, type GeneOptions, mappingOf } from './gene-axis.js';
import { type LabelFile, readLabelFile } from './label-table.js';
import {
  type AxisProfile,
  contradicts,
  guessRows,
  holdsWords,
  inspectLabels,
  type Inspection,
  inspectionOf,
  type LabelInspection,
  looksLikeLabels,
  type MatrixProfile,
  Profiler,
  type Scale,
} from './profile/index.js';
import { writeReport } from './report/index.js';
import { patientNumbers, verifyHarmless, verifyPatients } from './screening.js';
import { sha256OfFile } from './store/file-digest.js';
import { type StoreAxis, type StoreManifest, type StoreText, StoreWriter } from './store/index.js';
import type { MatrixHeader, MatrixSink, ReadOptions, RowBlock, Rows } from './stream/index.js';

/** How a person may help the inspection of a file. */
export interface InspectOptions extends ReadOptions, Pick<GeneOptions, 'geneTable' | 'genes'> {
  readonly labels?: string;
  readonly orientation?: 'genes-by-units' | 'units-by-genes';
}

/** How a file becomes a store. */
export interface ImportOptions extends InspectOptions, GeneOptions {
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
  return (await profileFile(path, options)).inspection;
}

/** Look at a matrix or at a table of labels, whichever the file seems to be. @throws as {@link inspectFile} */
export async function inspectTable(
  path: string,
  options: InspectOptions = {},
): Promise<(Inspection & { readonly kind: 'matrix' }) | LabelInspection> {
  try {
    const { profile, inspection } = await profileFile(path, options);
    if (looksLikeLabels(inspection, profile.rows.names, profile.columns.names))
      return await inspectLabels(path, options);
    return { kind: 'matrix', ...inspection };
  } catch (error) {
    if (isRegulonError(error) && error.details['rule'] === NO_NUMBERS) return inspectLabels(path, options);
    // codes of which some are numbers: words among numbers, but in a table of words
    const labels = isRegulonError(error, 'E_DATA_FORMAT')
      ? await inspectLabels(path, options).catch(() => null)
      : null;
    if (labels && holdsWords(labels) && options.orientation === undefined) return labels;
    throw error;
  }
}

async function profileFile(path: string, options: InspectOptions) {
  const { labels, declared } = await helpOf(options);
  const profiler = new Profiler();
  await readerOf(path)(path, options, profiler);
  const profile = profileOf(profiler, path);
  const inspection = inspectionOf(profile, { labels, declared });
  const genes = inspection.orientation === 'genes-by-units' ? profile.rows : profile.columns;
  return { profile, inspection: { ...inspection, mapping: mappingOf(genes.names, options) } };
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
    verifyUnique(profile);
    const content = { profile, inspection, rowsAre: writer.rowsAre, labels: help.labels };
    const manifest = writer.finish(await storeTextOf(path, content, options), options.replace === true);
    writeReport(folder, profile, inspection);
    return { manifest, inspection, folder };
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

interface Content {
  readonly profile: MatrixProfile;
  readonly inspection: Inspection;
  readonly rowsAre: Rows;
  readonly labels: LabelFile | undefined;
}

/** What a store says of its file, its genes and its units. */
async function storeTextOf(
  path: string,
  { profile, inspection, rowsAre, labels }: Content,
  options: ImportOptions,
): Promise<StoreText> {
  const [genes, units] =
    rowsAre === 'genes' ? [profile.rows, profile.columns] : [profile.columns, profile.rows];
  const axis = geneAxisOf(profile.header.file, genes.names, options);
  const columns = keptColumns(profile.header.file, units, options, labels);
  const scale = scaleOf(inspection, options.scale);
  return {
    manifest: {
      ...{ schema: 'regulon.store/1', name: options.name, scale, missing: inspection.missing },
      source: await sourceOf(path, inspection),
      imported: new Date().toISOString(),
      ...{ genes: axis.names.length, units: inspection.units },
      ...panelOf(axis, inspection.genes),
      patientColumn: patientOf(options.patientColumn),
    },
    genes: { names: [...axis.names], columns: {}, ...(axis.rows && { rows: [...axis.rows] }) },
    units: { names: [...units.names], columns },
  };
}

/** A folder has neither size nor digest. */
async function sourceOf(path: string, { format }: Inspection): Promise<StoreManifest['source']> {
  const stat = statSync(path);
  if (!stat.isFile()) return { file: basename(path), bytes: 0, sha256: null, format };
  return { file: basename(path), bytes: stat.size, sha256: await sha256OfFile(path), format };
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

function panelOf({ names, rows, identifiers }: GeneAxis, stored: number) {
  return {
    panel: hex(panelDigest(names, identifiers)),
    ...(rows && { stored }),
    ...(identifiers && { identifiers }),
  };
}

/** @throws E_DATA_DUPLICATE */
function verifyUnique({ header, rows, columns }: MatrixProfile): void {
  for (const axis of [rows, columns]) {
    const [first] = axis.duplicates;
    if (!first) continue;
    const places = first.places.slice(0, 3).join(', ');
    throw new RegulonError('E_DATA_DUPLICATE', `${header.file}: ${places} have the same name`, {
      hint: 'make the names unique, or name the column that holds unique ones with --id',
    });
  }
}

/** Annotations of the units that enter the store. @throws E_ARGUMENT, E_DATA_IDENTIFIER */
function keptColumns(
  file: string,
  units: AxisProfile,
  { keepColumns = [], patientColumn }: ImportOptions,
  labels: LabelFile | undefined,
): StoreAxis['columns'] {
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
  verifyPatients(file, table, patientColumn);
  verifyHarmless(file, null, units.names);
  const kept: Record<string, Cell[]> = {};
  for (const name of keepColumns) {
    verifyHarmless(file, name, cellsOf(name));
    kept[name] = [...cellsOf(name)];
  }
  const patient = patientOf(patientColumn);
  if (patient !== null) kept[patient] = patientNumbers(file, patient, cellsOf(patient));
  return kept;
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
