import { isRegulonError } from '@regulon/shared/errors';
import {
  attachmentsOf,
  parseEntry,
  parseEntryBundle,
  parseTilePath,
  readBundle,
  TILE_WIDTH,
  verifyBundle,
  writeBundle,
} from '@regulon/shared/transparency';
import type { SampleLog } from '@regulon/shared/transparency-samples';

/** Kinds of files in a bundle. */
export const fileKinds = [
  'tile/entries/',
  'tile/',
  'attachments/',
  'checkpoint',
  'site-checkpoints/',
  'keys/',
  'quorum.policy',
  'VERIFY.md',
] as const;
type FileKind = (typeof fileKinds)[number];

/** How many flips of each kind of file were tried, and how many were named. */
export type FlipCounts = Map<FileKind, { tried: number; named: number }>;

/** Flips in them are also tried with the checksum of the archive made right: a hash covers every byte. */
const hashed: readonly FileKind[] = ['tile/entries/', 'tile/', 'attachments/'];

/**
 * Flip one bit of one file in the archive, and verify; one flip after the other.
 *
 * A flip is named when the first line says which entry or which file is wrong.
 *
 * @param each flips of a kind of file, at bytes spread over all its files
 */
export function locateFlips(log: SampleLog, asOf: Date, each: number): FlipCounts {
  const bundle = log.bundle();
  const { files } = readBundle(bundle);
  const counts: FlipCounts = new Map();
  for (const kind of fileKinds) {
    const paths = [...files.keys()].filter((path) => kindOf(path) === kind);
    const count = { tried: 0, named: 0 };
    for (let k = 0; k < each && paths.length > 0; k++) {
      const path = paths[Math.floor((k * paths.length) / each)] ?? '';
      const content = files.get(path) ?? new Uint8Array(0);
      const before = Uint8Array.from(content);
      const at = (k * 7919) % content.length;
      content[at] = (content[at] ?? 0) ^ 1;
      const line = firstLineOf(hashed.includes(kind) ? writeBundle(files) : bundle, log.policy, asOf);
      content.set(before);
      count.tried += 1;
      if (namesByte(line, { path, at }, log, before)) count.named += 1;
    }
    if (count.tried > 0) counts.set(kind, count);
  }
  return counts;
}

const kindOf = (path: string): FileKind | undefined => fileKinds.find((kind) => path.startsWith(kind));

function firstLineOf(bundle: Uint8Array, policy: string, asOf: Date): string {
  try {
    return verifyBundle({ bundle, policy, asOf }).firstLine;
  } catch (error) {
    if (isRegulonError(error)) return `FAIL  ${error.message}`;
    throw error;
  }
}

/** Says of the cosigned checkpoint of some path where it lies. */
const sizeIn = (path: string): string => `checkpoint of size ${path.replace(/\D/g, '')} `;

/** Whether the first line tells where to look: at the entry of the byte, or at this file by its path or what it is. */
function namesByte(
  line: string,
  { path, at }: { path: string; at: number },
  log: SampleLog,
  bytes: Uint8Array,
): boolean {
  if (!line.startsWith('FAIL')) return false;
  if (line.includes(path)) return true;
  if (path === 'checkpoint') return /checkpoint|note/.test(line);
  if (path.startsWith('site-checkpoints/')) return line.includes(sizeIn(path));
  const entry = /^FAIL {2}entry (\d+) \(/.exec(line)?.[1];
  if (entry === undefined) return false;
  const index = Number(entry);
  const tile = parseTilePath(path);
  if (tile?.level === 'entries') return index === tile.index * TILE_WIDTH + entryAt(bytes, at);
  if (tile !== undefined) {
    const span = TILE_WIDTH ** tile.level;
    const first = span * (tile.index * TILE_WIDTH + Math.floor(at / 32));
    return index >= first && index < first + span;
  }
  if (path.startsWith('attachments/'))
    return attachmentsOf(parseEntry(log.entries[index] ?? new Uint8Array(0))).some(({ digest }) =>
      path.endsWith(digest.slice('sha256:'.length)),
    );
  return false;
}

/** Which entry of a bundle a byte belongs to. */
function entryAt(bytes: Uint8Array, at: number): number {
  const { entries } = parseEntryBundle(bytes, TILE_WIDTH);
  let end = 0;
  return entries.findIndex((entry) => (end += 2 + entry.length) > at);
}
