import { utf8 } from '@regulon/shared/crypto';
import { present, RegulonError } from '@regulon/shared/errors';
import {
  type Attachment,
  attachmentsOf,
  bundleFiles,
  type KeyHistory,
  type LogTree,
  parseEntry,
  siteCheckpointPath,
  Thinning,
  tilePath,
  verifyBundleFits,
  type VouchedCheckpoint,
  ZipPieces,
  zipOrder,
} from '@regulon/shared/transparency';
import { AttachmentFolder } from './attachments.js';
import type { PublishedHead } from './log-head.js';
import type { LogRows } from './log-rows.js';
import { inPieces, turn } from './pieces.js';
import { fileOf, tilesFrom } from './tile-folder.js';

/** What a bundle is made of. */
export interface BundleSource {
  readonly head: PublishedHead;
  readonly tree: LogTree;
  readonly rows: LogRows;
  readonly history: KeyHistory;
  readonly attachments: AttachmentFolder;
  /** checkpoints up to the head that a quorum of sites cosigned, ascending; none in gate mode `signed` */
  readonly cosigned: Iterable<VouchedCheckpoint>;
  /** the signed note of one of them */
  readonly noteOf: (size: number) => string;
}

/** Entries read between two turns of the event loop: rounds go on while an auditor downloads. */
const PAGE = 64;
/** Checkpoints looked at between two turns: each may have a cosignature of 255 members. */
const CHECKPOINTS = 16;

/** Gets the content of a file when its turn comes. */
type Content = () => Uint8Array | Promise<Uint8Array>;

/**
 * The auditor's bundle of everything under one checkpoint, piece by piece: one of its files is in memory at a time.
 * Nothing is read ahead of who takes the pieces; what is appended meanwhile is not in it.
 *
 * @returns pieces of a deterministic zip: the same log gives the same bytes
 * @throws before the first piece: E_NOT_FOUND if an attachment is missing; E_BUNDLE if no verifier would read so much
 * @throws E_DIGEST if an attachment was changed; E_PRUNED if entries went meanwhile, and another try may succeed
 */
export async function* exportBundle(source: BundleSource): AsyncGenerator<Uint8Array> {
  const { pruned } = source.rows;
  const { minimum } = pruned;
  const verifyWhole = (): void => {
    if (pruned.minimum !== minimum) throw prunedMeanwhile(pruned.minimum);
  };
  const files = await filesOf(source, minimum);
  verifyWhole();
  yield* inPieces(zipped(files, verifyWhole));
}

/** @param verifyWhole throws when what was read may be less than it was when the export began */
async function* zipped(
  files: ReadonlyMap<string, Content>,
  verifyWhole: () => void,
): AsyncGenerator<Uint8Array> {
  const zip = new ZipPieces();
  for (const path of zipOrder(files.keys())) {
    const content = await contentOf(files, path, verifyWhole);
    yield zip.header(path, content);
    yield content;
  }
  yield* zip.end();
}

/** @throws E_PRUNED, E_NOT_FOUND, E_DIGEST */
async function contentOf(
  files: ReadonlyMap<string, Content>,
  path: string,
  verifyWhole: () => void,
): Promise<Uint8Array> {
  try {
    const content = present(await files.get(path)?.(), path);
    verifyWhole();
    return content;
  } catch (error) {
    // what is gone may have been pruned
    verifyWhole();
    throw error;
  }
}

/** Every file of the bundle by its path; large ones are read when their turn comes. */
async function filesOf(source: BundleSource, minimum: number): Promise<Map<string, Content>> {
  const { head, tree, rows, history, attachments, noteOf } = source;
  const files = new Map<string, Content>([['checkpoint', () => utf8(head.note)]]);
  const said = await readEntries(source, files);
  for (const tile of tilesFrom(minimum, head.size))
    files.set(tilePath(tile), () => fileOf(tile, tree, (from, to) => rows.entries(from, to)).bytes);
  for (const size of await thinned(source, said))
    files.set(siteCheckpointPath(size), () => utf8(noteOf(size)));
  const keys = history.at(head.size);
  const policy = await attachments.get(keys.genesis.quorumPolicy.digest);
  for (const [path, bytes] of bundleFiles(keys.genesis, keys.members, policy)) files.set(path, () => bytes);
  verifyBundleFits(files.size, said.bytes);
  return files;
}

/** What the entries under the checkpoint say that the other files of a bundle follow from. */
interface Said {
  /** sizes of the checkpoints that opened a gate */
  readonly gates: Set<number>;
  /** when each was made, seconds since 1970 */
  readonly times: Float64Array;
  /** of entries and attachments */
  readonly bytes: number;
}

/** @param files gets the attachments @throws E_NOT_FOUND for one that is missing: the answer has not begun yet */
async function readEntries(
  { head, rows, attachments }: BundleSource,
  files: Map<string, Content>,
): Promise<Said> {
  const [gates, times] = [new Set<number>(), new Float64Array(head.size).fill(NaN)];
  let bytes = 0;
  const take = ({ digest, size }: Attachment): void => {
    const path = AttachmentFolder.pathOf(digest);
    if (files.has(path)) return;
    if (!attachments.has(digest)) throw new RegulonError('E_NOT_FOUND', `no attachment ${digest}`);
    files.set(path, () => attachments.get(digest));
    bytes += size;
  };
  for (let at = 0; at < head.size; at += PAGE) {
    for (const row of rows.pruned.left(at, Math.min(head.size, at + PAGE))) {
      const entry = parseEntry(row.bytes);
      bytes += row.bytes.length;
      times[row.index] = Date.parse(entry.at) / 1000;
      if (entry.kind === 'round.contribution') gates.add(entry.body.gate.size);
      attachmentsOf(entry).forEach(take);
    }
    await turn();
  }
  return { gates, times, bytes };
}

/** Sizes of the cosigned checkpoints that the bundle carries. */
async function thinned({ cosigned, history }: BundleSource, { times, gates }: Said): Promise<number[]> {
  const { skewSeconds } = history.last.genesis;
  const thinning = new Thinning({ times, gates, changes: history.changedAt, skewSeconds });
  const sizes: (number | undefined)[] = [];
  for (const checkpoint of cosigned) {
    if (sizes.push(thinning.take(checkpoint)) % CHECKPOINTS === 0) await turn();
  }
  return [...sizes, thinning.end()].filter((size) => size !== undefined);
}

const prunedMeanwhile = (minimum: number): RegulonError =>
  new RegulonError('E_PRUNED', `the log was pruned up to entry ${minimum} while it was exported`, {
    retryable: true,
    hint: 'export it again',
  });
