import { equalBytes, LEAF_BYTES, leafHashOf, verifyPath } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { KeyedGenerator } from '@regulon/shared/models';
import { foldAndUnmaskTile, type MaskEngine, type MaskKey, type SurvivorEntry } from '@regulon/shared/secagg';
import type { ItemOf } from '@regulon/shared/wire';
import type { LoggedGroups } from './logged-groups.js';
import type { CoordinatorLink } from '../../transport/index.js';

/** Tiles that all sites together look at in a training round. */
const AUDITED_TOGETHER = 48;
/** Statistics are audited in full up to this many bytes over all sites. */
const FULL_AUDIT_BYTES = 64 << 20;
/** Pieces (tiles of all survivors and of the sum) of one request: about 1 MiB, since a cut line costs all of it. */
const PIECES_AT_ONCE = 16;

/** What a spot audit recomputes. */
export interface AuditSubject {
  readonly run: Uint8Array;
  readonly round: number;
  /** U3 with the roots that each of them signed */
  readonly survivors: readonly SurvivorEntry[];
  /** streams that open the sum, from the revealed secrets */
  readonly masks: readonly MaskKey[];
  readonly aggregateRoot: Uint8Array;
  /** bytes of the vector */
  readonly size: number;
  readonly ringBits: 32 | 64;
  /** with sub-cohorts: the survivors are those of one group, and the sum that of all groups */
  readonly groups?: Pick<LoggedGroups, 'own' | 'groups'> | undefined;
}

/** A tile of the aggregate that is not the sum, or was not opened. */
export class WrongTile extends RegulonError {
  /** @param pieces what the coordinator showed of this tile */
  constructor(
    what: string,
    readonly pieces: readonly ItemOf<'spotTiles'>[],
  ) {
    super('E_MODEL', what);
  }
}

/**
 * The tiles this site looks at: ⌈48/n⌉ at random in training, every one in a small statistics round.
 *
 * @param n |U1|, or of this site's group of it
 * @param choice stream that only this site knows
 */
export function tilesToAudit(
  size: number,
  ringBits: 32 | 64,
  n: number,
  choice: Pick<KeyedGenerator, 'below'>,
): number[] {
  const tiles = Math.ceil(size / LEAF_BYTES);
  const every = Array.from({ length: tiles }, (_, tile) => tile);
  if (ringBits === 64 && n * size < FULL_AUDIT_BYTES) return every;
  const wanted = Math.min(tiles, Math.ceil(AUDITED_TOGETHER / n));
  for (let i = 0; i < wanted; i++) {
    const j = i + choice.below(tiles - i);
    [every[i], every[j]] = [every[j] as number, every[i] as number];
  }
  return every.slice(0, wanted).sort((a, b) => a - b);
}

/**
 * Recompute tiles of the aggregate from the uploads that the survivors signed.
 *
 * @throws E_MODEL (`WrongTile`) when a tile of the aggregate is not the sum: provable, and it stops everybody
 */
export async function auditTiles(
  link: CoordinatorLink,
  subject: AuditSubject,
  tiles: readonly number[],
  engine: MaskEngine,
): Promise<void> {
  const { run, round, survivors, groups } = subject;
  const pieces = survivors.length + 1 + (groups?.groups.length ?? 0);
  const atOnce = Math.max(1, Math.floor(PIECES_AT_ONCE / pieces));
  for (let at = 0; at < tiles.length; at += atOnce) {
    const asked = tiles.slice(at, at + atOnce);
    const items = await link.fetch({ type: 'spotTiles', run, round, tiles: asked });
    for (const tile of asked) {
      const opened = items.filter((item) => item.index === tile);
      auditTile(opened, subject, tile, engine);
    }
  }
}

function auditTile(
  items: readonly ItemOf<'spotTiles'>[],
  subject: AuditSubject,
  tile: number,
  engine: MaskEngine,
): void {
  const { round, survivors, masks, aggregateRoot, size, ringBits, groups } = subject;
  const length = Math.min(LEAF_BYTES, size - tile * LEAF_BYTES);
  const leaves = Math.ceil(size / LEAF_BYTES);
  const opened = (root: Uint8Array, item: (typeof items)[number] | undefined): Uint8Array => {
    const proof = item && {
      leafHash: leafHashOf(item.tile),
      index: tile,
      size: leaves,
      path: item.path,
      root,
    };
    if (!item || !proof || item.tile.length !== length || !verifyPath(proof)) {
      throw new WrongTile(`round ${round}: tile ${tile} was not opened by the coordinator`, items);
    }
    return item.tile;
  };
  const spools = survivors.map(({ id, root }) =>
    opened(
      root,
      items.find((item) => !item.aggregate && item.site === id),
    ),
  );
  // the sum stands under 0, those of the groups under their numbers from 1
  const summed = (root: Uint8Array, place: number): Uint8Array =>
    opened(
      root,
      items.find((item) => item.aggregate && item.site === place),
    );
  const claimed = summed(aggregateRoot, 0);
  const parts = groups?.groups.map(({ aggRoot }, k) => summed(aggRoot, k + 1)) ?? [claimed];
  const sum = new Uint8Array(length);
  foldAndUnmaskTile(sum, { spools, masks, byteOffset: tile * LEAF_BYTES, ringBits }, engine);
  const total = new Uint8Array(length);
  for (const part of parts) engine.addTile(total, part, ringBits);
  if (!equalBytes(sum, parts[groups?.own ?? 0] ?? claimed) || !equalBytes(total, claimed)) {
    throw new WrongTile(`round ${round}: tile ${tile} of the aggregate is not the sum of the uploads`, items);
  }
}
