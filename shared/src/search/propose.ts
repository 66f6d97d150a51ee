import { normalCdf } from '../privacy/normal.js';
import { type Belief, gaussianProcess } from './gaussian-process.js';
import { randomPlace } from './random-places.js';
import { type Dimension, gridPlaces, type Place } from './space.js';

/** How a search goes on. */
export type SearchMethod =
  | { readonly name: 'grid'; readonly steps: number }
  | { readonly name: 'random' }
  /** random places first, then where the expected improvement is largest */
  | { readonly name: 'bayesian'; readonly first: number };

/** An evaluation: where, and the summed validation loss. */
export interface Evaluation {
  readonly place: Place;
  readonly loss: number;
}

const CANDIDATES = 512;
const NEIGHBOURS = 32;

/**
 * Where a search evaluates next: the same for the same seed and evaluations.
 *
 * @param done evaluations so far, in their order
 * @returns null when a grid is exhausted
 */
export function nextPlace(
  space: readonly Dimension[],
  method: SearchMethod,
  seed: number,
  done: readonly Evaluation[],
): Place | null {
  const k = done.length;
  switch (method.name) {
    case 'grid':
      return gridPlaces(space, method.steps)[k] ?? null;
    case 'random':
      return randomPlace(seed, 'place', k, space.length);
    case 'bayesian':
      return k < method.first
        ? randomPlace(seed, 'place', k, space.length)
        : mostPromising(space.length, seed, done);
  }
}

/** Mean of what a loss at a place would be below the lowest so far. @see Jones, Schonlau & Welch 1998, (15) */
export function expectedImprovement({ mean, deviation }: Belief, lowest: number): number {
  if (deviation <= 0) return Math.max(0, lowest - mean);
  const z = (lowest - mean) / deviation;
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  return (lowest - mean) * normalCdf(z) + deviation * density;
}

/** Random candidates, then ever nearer neighbours of the best of them. */
function mostPromising(dimensions: number, seed: number, done: readonly Evaluation[]): Place {
  const believed = gaussianProcess(
    done.map(({ place }) => place),
    done.map(({ loss }) => loss),
  );
  const lowest = Math.min(...done.map(({ loss }) => loss));
  const k = done.length;
  const incumbent = done.find(({ loss }) => loss === lowest)?.place ?? [];
  const scored = (place: Place) => ({ place, score: expectedImprovement(believed(place), lowest) });
  let best = scored(incumbent);
  const consider = (place: Place): void => {
    const found = scored(place);
    if (found.score > best.score) best = found;
  };
  for (let i = 0; i < CANDIDATES; i++) consider(randomPlace(seed, `candidate ${k}`, i, dimensions));
  for (const radius of [0.2, 0.1, 0.05, 0.02, 0.01, 0.005]) {
    const centre = best.place;
    for (let i = 0; i < NEIGHBOURS; i++) {
      const step = randomPlace(seed, `near ${k} ${radius}`, i, dimensions);
      consider(centre.map((u, d) => Math.min(1, Math.max(0, u + radius * (2 * (step[d] ?? 0.5) - 1)))));
    }
  }
  return best.place;
}
