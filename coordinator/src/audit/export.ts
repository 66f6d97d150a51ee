import { utf8 } from '@regulon/shared/crypto';
import {
  attachmentsOf,
  bundleFiles,
  type FederationKeys,
  type LogTree,
  newTiles,
  parseEntry,
  siteCheckpointPath,
  writeBundle,
} from '@regulon/shared/transparency';
import { AttachmentFolder } from './attachments.js';
import type { PublishedHead } from './log-head.js';
import type { LogRows } from './log-rows.js';
import { fileOf } from './tile-folder.js';

/** What a bundle is made of. */
export interface BundleSource {
  readonly head: PublishedHead;
  readonly tree: LogTree;
  readonly rows: LogRows;
  readonly keys: FederationKeys;
  readonly attachments: AttachmentFolder;
  /** checkpoints up to the head that a quorum of sites cosigned; none in gate mode `signed` */
  readonly cosigned: Iterable<Pick<PublishedHead, 'size' | 'note'>>;
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
  const { head, tree, rows, keys, attachments } = source;
  const files = new Map<string, Uint8Array>([['checkpoint', utf8(head.note)]]);
  for (const tile of newTiles(0, head.size)) {
    const { path, bytes } = fileOf(tile, tree, (from, to) => rows.entries(from, to));
    files.set(path, bytes);
    await turn();
  }
  for (const digest of await attachedDigests(source)) {
    files.set(AttachmentFolder.pathOf(digest), await attachments.get(digest));
  }
  for (const { size, note } of source.cosigned) {
    files.set(siteCheckpointPath(size), utf8(note));
    await turn();
  }
  const policy = await attachments.get(keys.genesis.quorumPolicy.digest);
  for (const [path, bytes] of bundleFiles(keys.genesis, keys.members, policy)) files.set(path, bytes);
  return writeBundle(files);
}

/** What the entries under the checkpoint refer to. */
async function attachedDigests({ head, rows }: BundleSource): Promise<Set<string>> {
  const digests = new Set<string>();
  for (let at = 0; at < head.size; at += PAGE) {
    for (const bytes of rows.entries(at, Math.min(head.size, at + PAGE)))
      for (const { digest } of attachmentsOf(parseEntry(bytes))) digests.add(digest);
    await turn();
  }
  return digests;
}
