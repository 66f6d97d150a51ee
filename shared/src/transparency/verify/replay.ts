import { equalBytes, MerkleHasher } from '../../crypto/index.js';
import { refusalOf } from '../../errors/index.js';
import {
  ctxOf,
  foldAndUnmaskTile,
  MaskEngine,
  type MaskKey,
  reveal,
  TILE_BYTES,
  unmaskKeysOf,
  vectorLength,
} from '../../secagg/index.js';
import { digestBytes } from '../entries/fields.js';
import type { DerivedGroup } from '../evidence/verify-evidence.js';
import type { Findings } from './findings.js';
import type { ClosedRound } from './opened-rounds.js';

/** The masked vector that one survivor uploaded, as the coordinator kept it. */
export interface MaskedVector {
  /** bytes */
  readonly size: number;
  /** Fill `into` with the bytes from `at` on. */
  read(at: number, into: Uint8Array): void;
}

/**
 * Finds the masked vector of a survivor; undefined when it was not kept. It is never asked for one of a dropped site: with
 * the secrets that R4 reveals such a vector would open.
 *
 * @param run `run_` and 32 hexadecimal digits
 */
export type MaskedVectors = (
  run: string,
  place: { readonly round: number; readonly attempt: number; readonly site: number },
) => MaskedVector | undefined;

/**
 * Row S3: sum the survivors' masked vectors once more, take the masks off as the coordinator did, and compare bit by bit
 * with the logged root.
 *
 * @returns how many rounds were replayed; those of which nothing was kept are not
 */
export function replayRounds(
  findings: Findings,
  run: string,
  rounds: readonly ClosedRound[],
  vectorsOf: MaskedVectors,
): number {
  const engine = new MaskEngine();
  return rounds.filter((round) => {
    const { round: number, attempt } = round.manifest;
    const kept = round.derived.u3.map((site) => vectorsOf(run, { round: number, attempt, site }));
    if (kept.every((vector) => vector === undefined)) return false;
    const wrong = differenceOf(round, kept, engine);
    if (wrong !== undefined) findings.fail('S3', `round ${number}: ${wrong}`, round.aggregate.index);
    return true;
  }).length;
}

/** What differs from the log, or undefined. */
function differenceOf(
  round: ClosedRound,
  kept: readonly (MaskedVector | undefined)[],
  engine: MaskEngine,
): string | undefined {
  const { manifest, derived, evidence, aggregate } = round;
  const size = (vectorLength(manifest) * manifest.ringBits) / 8;
  const vectors = derived.u3.flatMap((site, k) => {
    const vector = kept[k];
    return vector?.size === size ? { site, vector, hasher: new MerkleHasher() } : [];
  });
  const odd = derived.u3.filter((_, k) => kept[k]?.size !== size);
  if (odd.length > 0) return `the masked vector of site ${odd.join(', ')} is missing or has another size`;
  try {
    const again = foldAgain(round, vectors, size, engine);
    const other = evidence.commits.filter(
      ({ id, root }) => !again.roots.some((own) => own.site === id && equalBytes(root, own.root)),
    );
    if (other.length > 0)
      return `the masked vector of site ${other.map(({ id }) => id).join(', ')} is not the signed one`;
    const { aggregateRoot, groups = [] } = aggregate.entry.body;
    if (!equalBytes(again.sum, digestBytes(aggregateRoot)))
      return 'the sum of the masked vectors is not the logged one';
    const wrong = groups.findIndex(
      (group, k) => !equalBytes(again.sums[k] ?? new Uint8Array(), digestBytes(group.aggregateRoot)),
    );
    return wrong < 0 ? undefined : `the sum of group ${wrong} is not the logged one`;
  } catch (error) {
    return refusalOf(error).message;
  }
}

/** The masked vector of a survivor, and the hash of what was read of it. */
interface KeptVector {
  readonly site: number;
  readonly vector: MaskedVector;
  readonly hasher: MerkleHasher;
}

/** What one pass over all vectors gives: Merkle roots, 32 bytes each. */
interface Replayed {
  /** of the vectors, by site */
  readonly roots: readonly { readonly site: number; readonly root: Uint8Array }[];
  /** of the sum of each group */
  readonly sums: readonly Uint8Array[];
  /** of the sum of all */
  readonly sum: Uint8Array;
}

/** @throws E_SHARE, E_DEALER, E_LOW_ORDER */
function foldAgain(
  round: ClosedRound,
  vectors: readonly KeptVector[],
  size: number,
  engine: MaskEngine,
): Replayed {
  const { ringBits } = round.manifest;
  const { groups } = round.derived;
  const folds = groups.map((group) => ({
    members: new Set(group.u3),
    masks: masksOf(round, group),
    hasher: new MerkleHasher(),
  }));
  const whole = new MerkleHasher();
  for (let byteOffset = 0; byteOffset < size; byteOffset += TILE_BYTES) {
    const length = Math.min(TILE_BYTES, size - byteOffset);
    const pieces = vectors.map(({ site, vector, hasher }) => {
      const tile = new Uint8Array(length);
      vector.read(byteOffset, tile);
      hasher.update(tile);
      return { site, tile };
    });
    const total = new Uint8Array(length);
    for (const { members, masks, hasher } of folds) {
      const spools = pieces.flatMap((piece) => (members.has(piece.site) ? piece.tile : []));
      const tile = new Uint8Array(length);
      foldAndUnmaskTile(tile, { spools, masks, byteOffset, ringBits }, engine);
      hasher.update(tile);
      engine.addTile(total, tile, ringBits);
    }
    whole.update(total);
  }
  const roots = vectors.map(({ site, hasher }) => ({ site, root: hasher.root() }));
  return { roots, sums: folds.map(({ hasher }) => hasher.root()), sum: whole.root() };
}

/** The streams of the masks of a group, from the shares in the logged answers. @throws E_SHARE, E_DEALER, E_LOW_ORDER */
function masksOf({ manifest, evidence }: ClosedRound, group: DerivedGroup): readonly MaskKey[] {
  const ctx = ctxOf(manifest);
  const { keys, responders, u3, h2 } = group;
  const { dealers, answers } = evidence;
  const used = answers.filter(({ id }) => responders.includes(id));
  const revealed = reveal({ ctx, keys, shares: new Map(dealers.map((d) => [d.id, d])), answers: used });
  const survivors = keys.filter(({ id }) => u3.includes(id));
  return unmaskKeysOf({ ctx, h2, survivors, ...revealed });
}
