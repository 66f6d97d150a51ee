import type { Database } from 'better-sqlite3';
import { equalBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { LogTree, signCheckpoint } from '@regulon/shared/transparency';
import type { LogRows, StoredHead } from './log-rows.js';
import { rebuildTree } from './rebuild.js';
import { removeUnfinished } from './durable-files.js';
import { TileFolder } from './tile-folder.js';

/** A published checkpoint. */
export interface PublishedHead {
  readonly size: number;
  /** 32 bytes */
  readonly root: Uint8Array;
  /** signed note */
  readonly note: string;
}

/** A checkpoint with a quorum of cosignatures. */
export interface CosignedHead extends PublishedHead {
  /** when an honest member cosigned it at last, seconds since 1970; see `vouchedTimes` */
  readonly newest: number;
}

/** Cosignatures so much younger than those in the file `checkpoint` are new ones; those of one round of asking are not. */
const RENEWED_SECONDS = 3600;

/** What the head of the log needs. */
export interface LogHeadOptions {
  readonly db: Database;
  readonly rows: LogRows;
  readonly folder: string;
  readonly origin: string;
  /** Ed25519 seed of the log key, 32 bytes */
  readonly logSeed: Uint8Array;
  /** `cosigned`: the file `checkpoint` waits for a quorum of cosignatures */
  readonly gateMode: 'signed' | 'cosigned';
}

/** Resolves when no transaction is open on the connection; what follows without `await` sees committed rows only. */
export async function idle(db: Database): Promise<void> {
  while (db.inTransaction) await new Promise((resolve) => setImmediate(resolve));
}

/** Tree, tiles and signed head of the log: everything that follows from the rows. */
export class LogHead {
  private queue: Promise<unknown> = Promise.resolve();
  private published: PublishedHead | undefined;
  private broken: Error | undefined;
  /** the cosigned note in the file `checkpoint` */
  private cosigned = { size: 0, newest: 0 };
  private readonly tiles: TileFolder;

  private constructor(
    private readonly options: LogHeadOptions,
    private readonly tree: LogTree,
    private stored: StoredHead,
  ) {
    this.tiles = new TileFolder(options.folder);
  }

  /**
   * Become the only writer, rebuild the tree from the rows and compare it with the stored head and the tiles.
   *
   * @throws E_STATE_DB if they contradict each other
   */
  static async open(options: LogHeadOptions): Promise<LogHead> {
    await idle(options.db);
    const stored = options.rows.takeHead(options.origin, new LogTree().root());
    await removeUnfinished(options.folder);
    const tree = rebuildTree(options.rows);
    if (stored.size > tree.size || !equalBytes(tree.root(stored.size), stored.root)) {
      throw new RegulonError(
        'E_STATE_DB',
        `the stored entries do not give the root of the log at size ${stored.size}`,
      );
    }
    const head = new LogHead(options, tree, stored);
    const { rows } = options;
    await head.tiles.compare(tree, (from, to) => rows.entries(from, to), stored.size, rows.pruned.minimum);
    if (stored.size > 0) await head.sign();
    return head;
  }

  /** Fence that every write of this process carries. */
  get fence(): number {
    return this.stored.fence;
  }

  /** Size of the newest signed checkpoint; 0 before the first. */
  get publishedSize(): number {
    return this.published?.size ?? 0;
  }

  /** The newest published checkpoint. @throws E_NOT_FOUND before the first */
  latest(): PublishedHead {
    if (this.published === undefined) throw new RegulonError('E_NOT_FOUND', 'the log has no checkpoint yet');
    return this.published;
  }

  /**
   * Cut a checkpoint over every committed entry: tiles, stored head, signature, published file, in this order.
   *
   * @returns the older head again when nothing was appended since
   * @throws E_DISK_FULL, and the call may be repeated; E_STATE_DB or E_STATE_LOCKED, and the process must end
   */
  checkpoint(): Promise<PublishedHead> {
    const next = this.queue.then(() => this.cut());
    this.queue = next.catch(() => undefined);
    return next;
  }

  /**
   * Write the file `checkpoint`: a note with a quorum of cosignatures. One of the same size is written again when its
   * cosignatures were renewed, so that the file stays as fresh as the log.
   *
   * @returns false when one of this size or a larger one was written before
   * @throws E_DISK_FULL, and the call may be repeated
   */
  publishCosigned({ size, note, newest }: CosignedHead): Promise<boolean> {
    const next = this.queue.then(async () => {
      const written = this.cosigned;
      const isRenewed = size === written.size && newest >= written.newest + RENEWED_SECONDS;
      if (size <= written.size && !isRenewed) return false;
      await this.tiles.publish(note);
      this.cosigned = { size, newest };
      return !isRenewed;
    });
    this.queue = next.catch(() => undefined);
    return next;
  }

  /** Remove the files of entries that were pruned. */
  pruneFiles(minimum: number): Promise<void> {
    const next = this.queue.then(() => this.tiles.prune(minimum));
    this.queue = next.catch(() => undefined);
    return next;
  }

  /** Inclusion proof of an entry under a published or older size. @throws E_NOT_FOUND */
  inclusion(index: number, size: number): { entryHash: Uint8Array; proof: Uint8Array[] } {
    return { entryHash: this.tree.leaf(index), proof: this.tree.inclusion(index, this.covered(size)) };
  }

  /** Consistency proof between two sizes that are published or older. @throws E_NOT_FOUND */
  consistency(oldSize: number, newSize: number): Uint8Array[] {
    return this.tree.consistency(oldSize, this.covered(newSize));
  }

  /** Root at a published or older size. @throws E_NOT_FOUND */
  rootAt(size: number): Uint8Array {
    return this.tree.root(this.covered(size));
  }

  /** The tree as far as it is published. */
  get publishedTree(): LogTree {
    return this.tree;
  }

  private covered(size: number): number {
    if (size > this.stored.size)
      throw new RegulonError('E_NOT_FOUND', `no checkpoint covers size ${size} yet`);
    return size;
  }

  private async cut(): Promise<PublishedHead> {
    if (this.broken !== undefined) throw this.broken;
    try {
      await idle(this.options.db);
      for (const hash of this.options.rows.hashesFrom(this.tree.size)) this.tree.append(hash);
      const { size } = this.tree;
      if (size > this.stored.size) {
        const entries = (from: number, to: number): Uint8Array[] => this.options.rows.entries(from, to);
        await this.tiles.extend(this.tree, entries, this.stored.size, size);
        await idle(this.options.db);
        this.move(size);
      }
      // the head may have moved before a full disk refused the checkpoint file
      return this.published?.size === size ? this.published : await this.sign();
    } catch (error) {
      if (!(error instanceof RegulonError) || error.code !== 'E_DISK_FULL')
        this.broken = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }

  private move(size: number): void {
    const { rows, origin } = this.options;
    const root = this.tree.root(size);
    if (!rows.moveHead(origin, this.stored, { size, root })) {
      throw new RegulonError('E_STATE_LOCKED', `another process writes the log ${origin}`);
    }
    this.stored = { ...this.stored, size, root };
  }

  private async sign(): Promise<PublishedHead> {
    const { rows, origin, logSeed } = this.options;
    const { size, root } = this.stored;
    const note = signCheckpoint({ origin, size, root }, { keyName: origin, seed: logSeed });
    const kept = rows.keepCheckpoint(size, root, note);
    if (!equalBytes(kept.root, root))
      throw new RegulonError('E_STATE_DB', `two roots for size ${size} of the log`);
    if (this.options.gateMode === 'signed') await this.tiles.publish(note);
    this.published = { size, root, note };
    return this.published;
  }
}
