import { LEAF_BYTES } from '../crypto/index.js';
import { medianOf } from '../genomics/index.js';

/** Words of a tile of a training round: 64 KiB, a leaf of the tree of the sum. */
export const TILE_WORDS = LEAF_BYTES / 4;
/** Fewer earlier rounds of an arm have no profile: the median of one or two is what a poisoned one made it. */
const LEAST_ROUNDS = 3;

/** What the tiles of a sum are held against; plain data. */
export interface TileTest {
  /** a tile stands out above so many times its profile; > 1 */
  readonly factor: number;
  /** least profile, in ring units²: N², since rounding alone moves a word of the sum by up to one unit a site */
  readonly floor: number;
  /** of each tile the median of its earlier energies; none: nothing is tested yet */
  readonly profile: readonly number[];
}

/** What a plan says of the test. */
export interface TileRule {
  /** undefined: no test */
  readonly tileFactor: number | undefined;
  /** N: sites of the plan */
  readonly sites: number;
}

/**
 * The test of a plan on the next training round of an arm, against the earlier ones.
 *
 * @param earlier energies of the arm's closed rounds, each with one value a tile
 * @returns undefined where the plan asks for no test
 */
export function tileTestOf(
  { tileFactor, sites }: TileRule,
  earlier: readonly (readonly number[])[],
): TileTest | undefined {
  if (tileFactor === undefined) return undefined;
  const profile = earlier.length < LEAST_ROUNDS ? [] : profileOf(earlier);
  return { factor: tileFactor, floor: sites ** 2, profile };
}

/** Median of each tile over some sums. @param energies of each sum, one value a tile */
export function profileOf(energies: readonly (readonly number[])[]): number[] {
  return (energies[0] ?? []).map((_, t) => medianOf(energies.map((own) => own[t] ?? 0)));
}

/** Tiles whose energy stands out from the profile, ascending; none where there is no profile. */
export function outlyingTiles(energies: readonly number[], { factor, floor, profile }: TileTest): number[] {
  if (profile.length === 0) return [];
  return energies.flatMap((energy, t) => (energy > factor * Math.max(floor, profile[t] ?? 0) ? [t] : []));
}

/** Mean square of the words of each tile of one sum, in ring units², as its words pass in ascending order. */
export class TileEnergies {
  private readonly squares: number[] = [];
  private words = 0;

  add(words: Int32Array): void {
    for (const word of words) {
      const tile = Math.floor(this.words++ / TILE_WORDS);
      this.squares[tile] = (this.squares[tile] ?? 0) + word * word;
    }
  }

  /** One value a tile, each in one fixed order of additions, so that the cut into pieces changes nothing. */
  means(): number[] {
    return this.squares.map((sum, t) => sum / Math.min(TILE_WORDS, this.words - t * TILE_WORDS));
  }
}
