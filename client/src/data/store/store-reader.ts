import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { z } from 'zod';
import { hex, sha256 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { panelDigest } from '@regulon/shared/genomics';
import { parseStrict } from '@regulon/shared/plan';
import { unpackBlock } from './block-codec.js';
import {
  axisSchema,
  manifestSchema,
  type StoreAxis,
  type StoreBlock,
  type StoreManifest,
} from './manifest.js';

const MAX_JSON_BYTES = 2 ** 30;

/** An imported dataset on disk. */
export interface OpenStore {
  readonly name: string;
  readonly folder: string;
  readonly manifest: StoreManifest;
  readonly genes: StoreAxis;
  readonly units: StoreAxis;
}

/** Whether a path is a store. */
export const isStore = (path: string): boolean => existsSync(join(path, 'manifest.json'));

/**
 * Open a store; names and annotations are verified, numbers when they are read.
 *
 * @throws E_DATA_FORMAT naming the file of the store that is damaged
 */
export function openStore(folder: string): OpenStore {
  const name = basename(folder);
  const manifest = parseStrict(
    manifestSchema,
    jsonOf(folder, 'manifest.json').value,
    `${name}/manifest.json`,
    'E_DATA_FORMAT',
  );
  const genes = axisOf(folder, manifest, 'genes.json', manifest.genes);
  const units = axisOf(folder, manifest, 'units.json', manifest.units);
  if (hex(panelDigest(genes.names, manifest.identifiers)) !== manifest.panel)
    throw damaged(folder, 'genes.json');
  verifyRows(folder, manifest, genes);
  verifyBlocks(folder, manifest);
  return { name, folder, manifest, genes, units };
}

/** The stores directly below a folder, by name. */
export function listStores(folder: string): StoreManifest[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => !name.endsWith('.part') && isStore(join(folder, name)))
    .sort()
    .map((name) => openStore(join(folder, name)).manifest);
}

/**
 * Go through the numbers of a store, block by block.
 *
 * @param visit receives the numbers of a block, genes contiguous: gene g of the block at [g × units, (g + 1) × units)
 * @throws E_DATA_FORMAT when a block is not what the manifest says
 */
export function eachBlock(
  store: OpenStore,
  visit: (block: StoreBlock, values: ArrayLike<number>) => void,
): void {
  const file = openSync(join(store.folder, 'values.bin'), 'r');
  try {
    for (const block of store.manifest.blocks) visit(block, valuesOf(store, block, file));
  } finally {
    closeSync(file);
  }
}

function valuesOf({ folder }: OpenStore, block: StoreBlock, file: number): ArrayLike<number> {
  const packed = Buffer.alloc(block.bytes);
  for (let at = 0; at < packed.length;) {
    const read = readSync(file, packed, at, packed.length - at, block.offset + at);
    if (read === 0) throw damaged(folder, 'values.bin');
    at += read;
  }
  if (hex(sha256(packed)) !== block.sha256) throw damaged(folder, 'values.bin');
  return unpackBlock(packed, block.dtype, cellsOf(block));
}

const cellsOf = ({ genes, units }: StoreBlock): number => (genes[1] - genes[0]) * (units[1] - units[0]);

/** Every gene of the panel has at most one row of its own. */
function verifyRows(folder: string, { stored, genes }: StoreManifest, { rows }: StoreAxis): void {
  if ((stored === undefined) !== (rows === undefined)) throw damaged(folder, 'manifest.json');
  const taken = rows?.filter((row) => row >= 0) ?? [];
  const fits = (rows?.length ?? genes) === genes && taken.every((row) => row < (stored ?? genes));
  if (!fits || new Set(taken).size !== taken.length) throw damaged(folder, 'genes.json');
}

/** The blocks cover every cell once, in order, and lie inside the file. */
function verifyBlocks(folder: string, { blocks, units, ...manifest }: StoreManifest): void {
  const genes = manifest.stored ?? manifest.genes;
  const { size } = statSync(join(folder, 'values.bin'));
  const byGenes = blocks[0]?.units[1] === units && blocks[0].units[0] === 0;
  let [next, offset] = [0, 0];
  for (const block of blocks) {
    const [own, other] = byGenes ? [block.genes, block.units] : [block.units, block.genes];
    const covers = other[0] === 0 && other[1] === (byGenes ? units : genes);
    if (own[0] !== next || own[1] <= own[0] || !covers || block.offset !== offset)
      throw damaged(folder, 'manifest.json');
    if (cellsOf(block) > 2 ** 24) throw damaged(folder, 'manifest.json');
    next = own[1];
    offset += block.bytes;
  }
  if (next !== (byGenes ? genes : units)) throw damaged(folder, 'manifest.json');
  if (offset !== size) throw damaged(folder, 'values.bin');
}

function axisOf(
  folder: string,
  manifest: StoreManifest,
  file: keyof StoreManifest['files'],
  count: number,
): StoreAxis {
  const { value, digest } = jsonOf(folder, file);
  if (digest !== manifest.files[file]) throw damaged(folder, file);
  const axis = parseStrict(
    axisSchema satisfies z.ZodType,
    value,
    `${basename(folder)}/${file}`,
    'E_DATA_FORMAT',
  );
  const lengths = [axis.names, ...Object.values(axis.columns)].map((cells) => cells.length);
  if (lengths.some((length) => length !== count)) throw damaged(folder, file);
  return axis;
}

function jsonOf(folder: string, file: string): { value: unknown; digest: string } {
  const path = join(folder, file);
  const what = `${basename(folder)}/${file}`;
  try {
    if (statSync(path).size > MAX_JSON_BYTES)
      throw new RegulonError('E_DATA_FORMAT', `${what}: larger than 1 GiB`);
    const bytes = readFileSync(path);
    return { value: JSON.parse(bytes.toString('utf8')) as unknown, digest: hex(sha256(bytes)) };
  } catch (cause) {
    if (cause instanceof RegulonError) throw cause;
    throw new RegulonError('E_DATA_FORMAT', `${what}: cannot be read`, { cause, hint: againHint });
  }
}

const againHint = 'import the dataset again';

function damaged(folder: string, file: string): RegulonError {
  return new RegulonError('E_DATA_FORMAT', `${basename(folder)}/${file}: is not what was imported`, {
    hint: againHint,
  });
}

/** What was checked. */
export interface VerifiedStore {
  readonly name: string;
  readonly genes: number;
  readonly units: number;
  readonly bytes: number;
  readonly blocks: number;
}

/** Check every byte of a store against its manifest. @throws E_DATA_FORMAT naming the file that differs; E_NOT_FOUND */
export function verifyStore(folder: string): VerifiedStore {
  if (!isStore(folder)) throw new RegulonError('E_NOT_FOUND', `${basename(folder)} is no imported dataset`);
  const store = openStore(folder);
  const { name, genes, units, blocks, missing } = store.manifest;
  let [bytes, gaps] = [0, 0];
  eachBlock(store, (block, values) => {
    bytes += block.bytes;
    for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) gaps++;
  });
  if (gaps !== missing) throw damaged(folder, 'values.bin');
  return { name, genes, units, bytes, blocks: blocks.length };
}
