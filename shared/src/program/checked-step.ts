import { RegulonError } from '../errors/index.js';
import { robustStep } from './robust-step.js';
import { fedAvgStep, type ServerStep } from './server-step.js';
import type { StepTerms } from './step-terms.js';
import { outlyingTiles, profileOf, TILE_WORDS, TileEnergies, type TileTest } from './tile-test.js';

/** What a server step has seen of the sums; plain data. */
export interface MeasuredSums {
  /** L2 norm of each decoded sum, in the unit of the weights */
  readonly norms: readonly number[];
  /** where the plan tests the tiles of the sum of all: mean square of each, in ring units² */
  readonly tiles?: readonly number[];
  /** where the plan tests tiles and compares groups: of each group those that stand out from the others */
  readonly outlying?: readonly (readonly number[])[];
}

/** A server step that looks at the sums as it goes. */
export interface CheckedStep extends ServerStep {
  /**
   * After the last tile, and before anything is made of the result.
   *
   * @throws E_CEILING when honest sites cannot have made the sum of all; E_OUTLIER when a tile of it stands out from the
   *   earlier rounds of its arm
   */
  finish(): MeasuredSums;
}

/**
 * The step that the rule of a plan makes of the sums, in one pass that also measures them.
 *
 * The mean takes no sum above its ceiling, nor one with a tile that stands out. A robust rule takes every sum: what one
 * group sends is bounded by the others, and a poisoned group must not be able to end the run.
 *
 * @throws E_COHORT when the sum carries no weight; E_POLICY when the rule has too few groups
 */
export function serverStepOf(terms: StepTerms): CheckedStep {
  const { Q, C, tiles } = terms;
  const step = terms.rule === 'mean' ? fedAvgStep(terms) : robustStep(terms);
  const squares = new Float64Array(terms.rule === 'mean' ? 1 : terms.weights.length);
  const byTile = tiles ? [...squares].map(() => new TileEnergies()) : [];
  return {
    tile(global, sums, out, at) {
      squares.forEach((square, s) => (squares[s] = energyOf(sums[s] ?? new Int32Array(), square)));
      byTile.forEach((energies, s) => energies.add(sums[s] ?? new Int32Array()));
      step.tile(global, sums, out, at);
    },
    finish() {
      const norms = [...squares].map((square) => (Math.sqrt(square) / Q) * C);
      const energies = byTile.map((own) => own.means());
      if (terms.rule === 'mean') verifyUnder(norms[0] ?? 0, terms.ceiling);
      if (!tiles) return { norms };
      if (terms.rule !== 'mean') return { norms, outlying: outlyingGroups(energies, tiles) };
      const [own = []] = energies;
      verifyTiles(own, tiles);
      return { norms, tiles: own };
    },
  };
}

/** Squares added one after the other, so that the cut into tiles changes nothing. @param before of the words before */
function energyOf(words: Int32Array, before: number): number {
  let energy = before;
  for (const word of words) energy += word * word;
  return energy;
}

function verifyUnder(norm: number, ceiling: number): void {
  if (norm <= ceiling) return;
  throw new RegulonError(
    'E_CEILING',
    `the sum has norm ${norm.toPrecision(4)}, and honest updates reach ${ceiling.toPrecision(4)} at most; it was not applied`,
  );
}

function verifyTiles(energies: readonly number[], test: TileTest): void {
  const [first, ...more] = outlyingTiles(energies, test);
  if (first === undefined) return;
  const times = (energies[first] ?? NaN) / Math.max(test.floor, test.profile[first] ?? 0);
  throw new RegulonError(
    'E_OUTLIER',
    `${more.length + 1} of ${energies.length} tiles of the sum stand out; the first, weights ${first * TILE_WORDS} and on, has ${times.toPrecision(4)} times the energy of earlier rounds, and secureAggregation.tileFactor allows ${test.factor}; it was not applied`,
  );
}

/** Groups of one round are alike, so each is held against their median; it needs no earlier rounds. */
function outlyingGroups(energies: readonly (readonly number[])[], test: TileTest): number[][] {
  const between = { ...test, profile: profileOf(energies) };
  return energies.map((own) => outlyingTiles(own, between));
}
