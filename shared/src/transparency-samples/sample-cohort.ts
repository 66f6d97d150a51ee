import { hex, sha256 } from '../crypto/index.js';
import type { ValidationFigures } from '../plan/index.js';
import { rosterViewOf, serverStepOf } from '../program/index.js';
import { type Manifest, MaskEngine, signManifest, vectorLength } from '../secagg/index.js';
import {
  type AttemptState,
  finish,
  type Losses,
  makeCohort,
  runUntil,
  type TestCohort,
} from '../secagg/secagg.support.js';
import { digestBytes } from '../transparency/index.js';
import { SampleFederation } from './sample-federation.js';
import { sample } from './sample-options.js';

/** Coordinates of the model of a sample run. */
export const SAMPLE_WEIGHTS = 700;

/** What a sample round is for. */
export interface RoundFields {
  readonly number: number;
  readonly attempt: number;
  readonly purpose: 0 | 1 | 2;
  readonly stepId: string;
  readonly losses: Losses;
  /** members that the machines count in their thresholds; by default those of the roster */
  readonly members?: number;
  /** of each coordinate of what every site sends, in a training round whose model follows from the sum */
  readonly word?: number;
  /** of a validation round */
  readonly figures?: ValidationFigures;
}

/** The sites of the federation with a signed manifest of one attempt. @param modelIn, transcript, planHash digest texts */
export function sampleCohort(
  { roster, statementSeed }: SampleFederation,
  { number, attempt, purpose, stepId, word, members: M }: RoundFields,
  { modelIn, transcript, planHash }: Readonly<Record<'modelIn' | 'transcript' | 'planHash', string>>,
): TestCohort {
  const { federationId, members } = roster;
  const view = rosterViewOf(roster);
  const manifest: Manifest = {
    ...makeCohort(members.length, { d: SAMPLE_WEIGHTS }).manifest,
    ...{ federationId, rosterHash: view.rosterHash, runId: sample.runId, round: number, attempt },
    ...{ purpose, stepId, roles: members.map(({ id }) => ({ id, role: 0 as const })) },
    ...{ planHash: digestBytes(planHash), modelHash: digestBytes(modelIn) },
    prevTranscriptHash: digestBytes(transcript),
    deadlines: [1, 2, 3, 4, 5].map((minute) => Date.UTC(2026, 10, 20, 12, minute)),
    ...(purpose > 0 ? { ringBits: 64, fractionBits: 24, Q: 1, C: 1000 } : {}),
  };
  return {
    seeds: new Map(members.map(({ id, name }) => [id, SampleFederation.seed('site', name)])),
    ...{ coordinatorSeed: statementSeed, roster: M === undefined ? view : { ...view, M }, manifest },
    ...(word === undefined ? {} : { vector: vectorOf(manifest, word) }),
    coordinatorSignature: signManifest(statementSeed, manifest),
  };
}

/** Words of an update with the weight ½ and no fault. */
function vectorOf(manifest: Manifest, word: number): Uint8Array {
  const words = new Int32Array(vectorLength(manifest)).fill(word, 0, manifest.d);
  words[manifest.d] = 2 ** 19;
  return new Uint8Array(words.buffer);
}

/** The model that follows from a sum of such updates, as the mean of them. @param before float32 bytes */
export function sampleModel({ d, Q, C }: Manifest, before: Uint8Array, sum: Uint8Array): Uint8Array {
  const weights = new Float32Array(Uint8Array.from(before).buffer);
  const words = new Int32Array(Uint8Array.from(sum).buffer);
  const terms = {
    rule: 'mean',
    weight: (words[d] ?? 0) / 2 ** 20,
    owned: [],
    ceiling: Infinity,
    Q,
    C,
  } as const;
  serverStepOf(terms).tile(weights, [words.subarray(0, d)], weights, 0);
  return new Uint8Array(weights.buffer);
}

/** Attempts that were run already: the same manifest with the same losses needs no second run. */
const attempts = new Map<string, AttemptState>();

/** Run an attempt by the real machines. @param context digest text of the manifest */
export function sampleAttempt(cohort: TestCohort, context: string, losses: Losses): AttemptState {
  const key = `${context} ${cohort.roster.M} ${JSON.stringify(losses)} ${hex(sha256(cohort.vector ?? new Uint8Array()))}`;
  const state = attempts.get(key) ?? runUntil(cohort, 'r4', losses);
  attempts.set(key, state);
  return state;
}

const sums = new WeakMap<AttemptState, ReturnType<typeof finish>>();

/** The unmasked sum of an attempt, computed once. */
export function sampleSum(state: AttemptState): ReturnType<typeof finish> {
  const sum = sums.get(state) ?? finish(state, new MaskEngine());
  sums.set(state, sum);
  return sum;
}

/** Members of U2 that answer. */
export function respondersOf({ server }: AttemptState, { r2 = [], r3 = [], r4 = [] }: Losses): number[] {
  return server.u2.filter((id) => ![...r2, ...r3, ...r4].includes(id));
}
