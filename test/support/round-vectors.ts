import { rootOfBytes } from '@regulon/shared/crypto';
import {
  encodeExtras,
  Purpose,
  type RunProgram,
  type ScheduledRound,
  serverStepOf,
} from '@regulon/shared/program';
import {
  decodeFixed,
  encodeFixed,
  type Manifest,
  packIntegers,
  unpackIntegers,
  vectorLength,
} from '@regulon/shared/secagg';

/** Initial weights of an arm, shape [P]; the program hears of their digest. */
export function initialWeights(program: RunProgram, arm: number): Float32Array {
  const weights = flatten(program.initialModel(arm));
  program.setInitialModel(arm, rootOfBytes(bytesOf(weights)));
  return weights;
}

/** Pieces of a model as one array of their own. */
export function flatten(pieces: Iterable<Float32Array>): Float32Array {
  return Float32Array.from([...pieces].flatMap((piece) => [...piece]));
}

/** View of the bytes of an array. */
export const bytesOf = (array: Float32Array | Int32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** A vector of zeros for a round; the words of the update or the sums come first. */
export const emptyVector = (manifest: Manifest): Uint8Array =>
  new Uint8Array(vectorLength(manifest) * (manifest.ringBits / 8));

/** Write weight and extras behind the words of a vector. */
export function putExtras(
  vector: Uint8Array,
  program: RunProgram,
  round: ScheduledRound,
  { d, ringBits }: Manifest,
  extras: { readonly weight: number } & Readonly<Record<string, number>>,
): void {
  const { weight, ...values } = extras;
  const integers = encodeExtras(program.extras(round), weight, values);
  vector.set(packIntegers(integers, ringBits), (d * ringBits) / 8);
}

/** The vector of a statistics or evaluation round. @param values what the site adds to the sums */
export function sumVector(
  program: RunProgram,
  round: ScheduledRound,
  manifest: Manifest,
  values: Parameters<typeof encodeFixed>[0],
): Uint8Array {
  const vector = emptyVector(manifest);
  const { words, clamped } = encodeFixed(values, manifest.fractionBits, manifest.C);
  vector.set(words);
  putExtras(vector, program, round, manifest, { weight: 1, fault: clamped > 0 ? 1 : 0 });
  return vector;
}

/** The sums of a closed round. */
export interface RoundSums {
  /** of all sites, unmasked, extras included */
  readonly words: Uint8Array;
  /** of the groups, where the plan compares them */
  readonly groups?: readonly Uint8Array[];
  readonly survivors: readonly number[];
}

/**
 * Let the program go on after a round, as every site derives it from the sums.
 *
 * @param weights of the arm, stepped in place; asked for in training rounds only
 * @returns digest of the new model, or null when the round trained nothing
 */
export function completeRound(
  program: RunProgram,
  round: ScheduledRound,
  { words, groups = [], survivors }: RoundSums,
  weights: () => Float32Array,
): Uint8Array | null {
  const ringBits = round.purpose === Purpose.train ? 32 : 64;
  const split = words.length - ((1 + program.extras(round).length) * ringBits) / 8;
  const extrasOf = (sum: Uint8Array) =>
    program.decodeExtras(round, unpackIntegers(sum.slice(split), ringBits));
  const extras = extrasOf(words);
  if (round.purpose !== Purpose.train) {
    const sums = decodeFixed(words.slice(0, split), program.fractionBits(round));
    program.complete(round, { survivors, extras, sums });
    return null;
  }
  const model = weights();
  const terms = { all: extras, groups: groups.map(extrasOf), survivors: survivors.length };
  const step = serverStepOf(program.stepTerms(round.arm, terms));
  const sums = groups.length > 0 ? groups : [words];
  step.tile(
    model,
    sums.map((sum) => new Int32Array(sum.slice(0, split).buffer)),
    model,
    0,
  );
  const { tiles } = step.finish();
  const modelHash = rootOfBytes(bytesOf(model));
  program.complete(round, { survivors, extras, modelHash, ...(tiles ? { tiles } : {}) });
  return modelHash;
}
