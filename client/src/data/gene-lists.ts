import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { type GeneList, type GeneTable, parseGeneTable, parsePanelFile } from '@regulon/shared/genomics';
import { isStore, openStore } from './store/index.js';

const MAX_BYTES = 2 ** 28;

/** The genes of an imported dataset, or of a panel file. @throws E_DATA_FORMAT, E_NOT_FOUND, E_PANEL */
export function geneListOf(path: string): GeneList {
  if (!isStore(path)) return { name: basename(path), ...parsePanelFile(textOf(path), basename(path)) };
  const { name, genes, manifest } = openStore(path);
  const present = genes.names.filter((_, gene) => (genes.rows?.[gene] ?? gene) >= 0);
  return { name, genes: present, identifiers: manifest.identifiers ?? null };
}

/** @throws E_DATA_FORMAT, E_DATA_DUPLICATE, E_NOT_FOUND */
export const geneTableAt = (path: string): GeneTable => parseGeneTable(bytesOf(path), basename(path));

/** A text file of this site as a whole. @throws E_DATA_FORMAT when it is too large, E_NOT_FOUND */
export const textOf = (path: string): string => new TextDecoder().decode(bytesOf(path));

function bytesOf(path: string): Uint8Array {
  try {
    if (statSync(path).size <= MAX_BYTES) return readFileSync(path);
  } catch (cause) {
    throw new RegulonError('E_NOT_FOUND', `${basename(path)} cannot be read`, {
      cause,
      hint: 'check the path',
    });
  }
  throw new RegulonError('E_DATA_FORMAT', `${basename(path)}: larger than 256 MiB`);
}
