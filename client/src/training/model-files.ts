import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { CO_EXPRESSION, type ModelDeclaration, modelFilesOf } from '@regulon/shared/models';

/** Files that a model is made with, and the names of the features it reads. */
export interface ModelFiles {
  /** bytes by digest, `sha256:…` as the plan names it */
  readonly byDigest: ReadonlyMap<string, Uint8Array>;
  /** the graph that the preparation made, by numbers of features */
  readonly coExpression?: Uint8Array;
  /** names of the model's input features in their order; absent: their numbers 0, 1, … */
  readonly features?: readonly string[];
}

/** No file at all: enough for every model without a graph or a layout. */
export const NO_FILES: ModelFiles = { byDigest: new Map() };

/** Where the files of a model lie, by their digests. @param folder holds each under the 64 digits of its digest */
export function modelFilePaths(model: ModelDeclaration, folder: string): Record<string, string> {
  const pathOf = (digest: string): string => join(folder, digest.slice('sha256:'.length));
  return Object.fromEntries(modelFilesOf(model).map((digest) => [digest, pathOf(digest)]));
}

/** Rows of a tab-separated file, the first line being the heading. */
interface Table {
  readonly rows: readonly (readonly string[])[];
  /** position of a feature by its name, or −1: the file may name features that the model does not read */
  readonly positionOf: (name: string) => number;
}

/**
 * Read a file that a layer names.
 *
 * @param columns the heading that it must have
 * @param size number of features of the layer
 * @throws E_NOT_FOUND without the file; E_DIGEST when its bytes are others; E_DATA_FORMAT naming the row
 */
export function readModelTable(
  files: ModelFiles,
  digest: string,
  columns: readonly string[],
  size: number,
): Table {
  const bytes = files.byDigest.get(digest);
  if (!bytes) {
    const hint = 'put the file, named by these 64 digits, into the folder model-files of the state folder';
    throw new RegulonError('E_NOT_FOUND', `the model needs the file ${digest}`, { hint });
  }
  if (`sha256:${createHash('sha256').update(bytes).digest('hex')}` !== digest) {
    throw new RegulonError('E_DIGEST', `a model file is not ${digest}`, { hint: 'restore the named file' });
  }
  return tableOf(bytes, digest, columns, files.features ?? numbers(size));
}

/**
 * The graph of a step `co-expression`, whose features are numbers.
 *
 * @throws E_NOT_FOUND when the preparation made none; E_DATA_FORMAT naming the row
 */
export function readCoExpression(
  { coExpression }: ModelFiles,
  columns: readonly string[],
  size: number,
): Table {
  if (coExpression) return tableOf(coExpression, CO_EXPRESSION, columns, numbers(size));
  throw new RegulonError('E_NOT_FOUND', 'the preparation made no graph of co-expression', {
    hint: 'add the step co-expression to prepare',
  });
}

const numbers = (size: number): string[] => Array.from({ length: size }, (_, i) => String(i));

function tableOf(
  bytes: Uint8Array,
  digest: string,
  columns: readonly string[],
  names: readonly string[],
): Table {
  const [heading = '', ...lines] = new TextDecoder().decode(bytes).trimEnd().split(/\r?\n/);
  if (heading !== columns.join('\t')) throw badRow(digest, 1, `is not the heading ${columns.join(', ')}`);
  const rows = lines.map((line, i) => {
    const cells = line.split('\t');
    if (cells.length !== columns.length) throw badRow(digest, i + 2, `has not ${columns.length} cells`);
    return cells;
  });
  const positions = new Map(names.map((name, i) => [name, i]));
  return { rows, positionOf: (name) => positions.get(name) ?? -1 };
}

/** @returns E_DATA_FORMAT naming the file and the row, never what stands there */
export function badRow(digest: string, row: number, why: string): RegulonError {
  return new RegulonError('E_DATA_FORMAT', `model file ${digest.slice(0, 15)}…: row ${row} ${why}`);
}
