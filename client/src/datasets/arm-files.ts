import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type FeatureSpecification,
  lastStep,
  LETTERS,
  omicRows,
  type SitePreparation,
  transform,
  type UnitsView,
  wholeSeries,
} from '@regulon/shared/genomics';
import { modelFilesOf } from '@regulon/shared/models';
import type { Plan } from '@regulon/shared/plan';
import { guarded } from '../state/index.js';
import type { ArmData } from '../training/index.js';
import type { UnitUse } from './site-data.js';

/**
 * The units of an arm as files that the trainer reads: features by the fitted steps, classes or targets, and the graph that the
 * preparation made.
 *
 * @param batches what this site fitted on its training units for its own batches; default: on these units
 * @param prefix path and begin of the file names
 * @throws E_DISK_FULL; others as `transform`
 */
export function writePrepared(
  view: UnitsView,
  specification: FeatureSpecification,
  batches: SitePreparation | undefined,
  prefix: string,
): ArmData {
  const { omics } = view;
  const { features, shape } = omics
    ? omicRows({ ...view, omics }, specification)
    : transform(view, specification, batches);
  return {
    ...{ featuresPath: writeArray(`${prefix}.features.f32`, features), shape, n: view.n },
    ...writeTargets(view, prefix),
    ...writeGraph(specification, prefix),
  };
}

/** Series and sequences as they lie; nothing is fitted on them. @throws E_DISK_FULL */
export function writeUnprepared(view: UnitsView, { dataset, task }: Plan, prefix: string): ArmData {
  const { n, genes } = view;
  if (task === 'forecast') return writeSeries(view, prefix);
  const isSeries = dataset.kind === 'series';
  const channels = dataset.channels?.length ?? 1;
  const features = isSeries ? wholeSeries(view, channels) : Float32Array.from(view.values);
  return {
    featuresPath: writeArray(`${prefix}.features.f32`, features),
    shape: isSeries ? [n, genes / channels, 2 * channels] : [n, genes / LETTERS, LETTERS],
    n,
    ...writeTargets(view, prefix),
  };
}

/** Targets of several heads, or classes. */
function writeTargets({ labels, targets }: UnitsView, prefix: string): { targetsPath?: string } {
  if (targets) return { targetsPath: writeArray(`${prefix}.targets.f32`, Float32Array.from(targets)) };
  return labels ? { targetsPath: writeArray(`${prefix}.classes.i32`, labels) } : {};
}

/** Path and begin of the names of an arm's files in the folder of its run. */
export const armPrefix = (folder: string, arm: number, use: UnitUse): string =>
  join(folder, `arm-${arm}-${use}`);

/** The patients of an arm. */
export type PatientsOfArm = Pick<ArmData, 'patientsPath' | 'patients'>;

/** A number for the patient of each unit. @param patients of all units @param rows those of the arm, in their order */
export function writePatientNumbers(
  patients: readonly string[],
  rows: readonly number[],
  prefix: string,
): PatientsOfArm {
  const own = rows.map((row) => patients[row] ?? '');
  const numbers = new Map([...new Set(own)].map((patient, i) => [patient, i]));
  const ofUnits = Int32Array.from(own, (patient) => numbers.get(patient) ?? 0);
  return { patientsPath: writeArray(`${prefix}.patients.i32`, ofUnits), patients: numbers.size };
}

/** Edges between the features by their numbers. */
function writeGraph(specification: FeatureSpecification, prefix: string): { coExpressionPath?: string } {
  const fit = lastStep(specification, 'co-expression');
  if (!fit) return {};
  const edges = Array.from(fit.a, (a, i) => `${a}\t${fit.b[i]}\t${fit.weight[i]}`);
  const coExpressionPath = `${prefix}.graph.tsv`;
  writeFile(coExpressionPath, new TextEncoder().encode(`${['a\tb\tweight', ...edges].join('\n')}\n`));
  return { coExpressionPath };
}

/** The genes that reach the model, in their order, for a model that is made with files about genes. */
export function writeGeneNames(
  { model }: Plan,
  panel: readonly string[],
  { keptGenes }: FeatureSpecification,
  prefix: string,
): { featureNamesPath?: string } {
  if (modelFilesOf(model).length === 0) return {};
  const featureNamesPath = `${prefix}.genes.txt`;
  const names = Array.from(keptGenes, (gene) => panel[gene]!);
  writeFile(featureNamesPath, new TextEncoder().encode(`${names.join('\n')}\n`));
  return { featureNamesPath };
}

/** Series as they were measured: the trainer fills the gaps, and counts observed steps only. */
function writeSeries(view: UnitsView, prefix: string): ArmData {
  const features = Float32Array.from(view.values, (x) => (Number.isFinite(x) ? x : 0));
  const mask = Float32Array.from(view.values, (x) => (Number.isFinite(x) ? 1 : 0));
  return {
    featuresPath: writeArray(`${prefix}.features.f32`, features),
    maskPath: writeArray(`${prefix}.mask.f32`, mask),
    shape: [view.n, view.genes],
    n: view.n,
  };
}

function writeArray(path: string, values: Float32Array | Int32Array): string {
  writeFile(path, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return path;
}

/** Write a private file that appears only complete. @throws E_DISK_FULL */
export function writeFile(path: string, bytes: Uint8Array): void {
  const part = `${path}.part`;
  guarded(`prepared data ${path}`, () => {
    try {
      writeFileSync(part, bytes, { mode: 0o600, flush: true });
      renameSync(part, path);
    } catch (error) {
      rmSync(part, { force: true });
      throw error;
    }
  });
}
