import { utf8 } from '@regulon/shared/crypto';
import {
  attachmentsOf,
  bundleFiles,
  type KeyHistory,
  type LogTree,
  parseEntry,
  siteCheckpointPath,
  Thinning,
  type VouchedCheckpoint,
  writeBundle,
} from '@regulon/shared/transparency';
import { AttachmentFolder } from './attachments.js';
import type { PublishedHead } from './log-head.js';
import type { LogRows } from './log-rows.js';
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
const PAGE = 128;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * The auditor's bundle of everything under one checkpoint.
 *
 * @returns deterministic zip: the same log gives the same bytes
 * @throws E_NOT_FOUND or E_DIGEST if an attachment is missing or was changed
 */
export async function exportBundle(source: BundleSource): Promise<Uint8Array> {
  const { head, tree, rows, history, attachments } = source;
  const files = new Map<string, Uint8Array>([['checkpoint', utf8(head.note)]]);
  for (const tile of tilesFrom(rows.pruned.minimum, head.size)) {
    const { path, bytes } = fileOf(tile, tree, (from, to) => rows.entries(from, to));
    files.set(path, bytes);
    await turn();
  }
  const said = await readEntries(source);
  for (const digest of said.digests) {
    files.set(AttachmentFolder.pathOf(digest), await attachments.get(digest));
  }
  for (const size of await thinned(source, said)) {
    files.set(siteCheckpointPath(size), utf8(source.noteOf(size)));
    await turn();
  }
  const keys = history.at(head.size);
  const policy = await attachments.get(keys.genesis.quorumPolicy.digest);
  for (const [path, bytes] of bundleFiles(keys.genesis, keys.members, policy)) files.set(path, bytes);
  return writeBundle(files);
}

/** What the entries under the checkpoint say that the other files of a bundle follow from. */
interface Said {
  /** of the attachments that they refer to */
  readonly digests: Set<string>;
  /** sizes of the checkpoints that opened a gate */
  readonly gates: Set<number>;
  /** when each was made, seconds since 1970 */
  readonly times: Float64Array;
}

async function readEntries({ head, rows }: BundleSource): Promise<Said> {
  const said: Said = { digests: new Set(), gates: new Set(), times: new Float64Array(head.size).fill(NaN) };
  for (let at = 0; at < head.size; at += PAGE) {
    for (const { index, bytes } of rows.pruned.left(at, Math.min(head.size, at + PAGE))) {
      const entry = parseEntry(bytes);
      said.times[index] = Date.parse(entry.at) / 1000;
      if (entry.kind === 'round.contribution') said.gates.add(entry.body.gate.size);
      for (const { digest } of attachmentsOf(entry)) said.digests.add(digest);
    }
    await turn();
  }
  return said;
}

/** Sizes of the cosigned checkpoints that the bundle carries. */
async function thinned({ cosigned, history }: BundleSource, { times, gates }: Said): Promise<number[]> {
  const { skewSeconds } = history.last.genesis;
  const thinning = new Thinning({ times, gates, changes: history.changedAt, skewSeconds });
  const sizes: (number | undefined)[] = [];
  for (const checkpoint of cosigned) {
    if (sizes.push(thinning.take(checkpoint)) % PAGE === 0) await turn();
  }
  return [...sizes, thinning.end()].filter((size) => size !== undefined);
}
