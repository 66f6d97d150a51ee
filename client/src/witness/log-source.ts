import { fromHex } from '@regulon/shared/crypto';
import { MAX_HASHES } from '@regulon/shared/wire';
import type { CoordinatorLink } from '../transport/index.js';

/** Reads entries `from` … `to − 1` of the log. */
export type ReadEntries = (from: number, to: number) => Promise<readonly Uint8Array[]>;

/** Hashes of entries, those of pruned ones included. */
export interface ShownHashes {
  /** SHA-256(0x00 ‖ entry), 32 bytes each, from the first that was asked for */
  readonly hashes: readonly Uint8Array[];
  /** first entry that the coordinator keeps, as it says */
  readonly minimum: number;
}

/** What a coordinator shows of the log; all of it is its word until a root or a signature says the same. */
export interface LogSource {
  readonly entries: ReadEntries;
  /** Hashes of the entries `from` … `to − 1`, as many as there are. */
  readonly hashes: (from: number, to: number) => Promise<ShownHashes>;
  /** Bytes under a digest text. */
  readonly attachment: (digest: string) => Promise<Uint8Array>;
}

/** What a checkpoint may make this site read and keep before its root is known to be right. */
export interface FollowLimits {
  /** entries */
  readonly entries: number;
  /** bytes of the entries that are kept */
  readonly bytes: number;
}

export const usualLimits: FollowLimits = { entries: 1 << 24, bytes: 1 << 30 };

/** The log as the coordinator at the other end of a connection shows it. */
export function logSourceOf(link: Pick<CoordinatorLink, 'fetch'>): LogSource {
  return {
    entries: async (from, to) =>
      (await link.fetch({ type: 'logEntries', from, to })).map(({ entry }) => entry),
    hashes: async (from, to) => {
      const items = await link.fetch({ type: 'logHashes', from, to });
      return { hashes: items.flatMap((item) => split(item.hashes)), minimum: items[0]?.minimum ?? 0 };
    },
    attachment: async (digest) => {
      const named = fromHex(digest.slice('sha256:'.length), 32);
      const [item] = await link.fetch({ type: 'attachment', digest: named });
      return item?.bytes ?? new Uint8Array(0);
    },
  };
}

/** Hashes asked for at once: 2 MiB. */
export const HASHES_AT_ONCE = 256 * MAX_HASHES;

const split = (bytes: Uint8Array): Uint8Array[] =>
  Array.from({ length: Math.floor(bytes.length / 32) }, (_, i) => bytes.slice(32 * i, 32 * (i + 1)));
