import type { ValidationFigures } from '../plan/index.js';
import { rosterViewOf } from '../program/index.js';
import { type Manifest, MaskEngine, signManifest } from '../secagg/index.js';
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

/** What a sample round is for. */
export interface RoundFields {
  readonly number: number;
  readonly attempt: number;
  readonly purpose: 0 | 1 | 2;
  readonly stepId: string;
  readonly losses: Losses;
  /** of a validation round */
  readonly figures?: ValidationFigures;
}

/** The sites of the federation with a signed manifest of one attempt. @param modelIn, transcript, planHash digest texts */
export function sampleCohort(
  { roster, statementSeed }: SampleFederation,
  { number, attempt, purpose, stepId }: RoundFields,
  { modelIn, transcript, planHash }: Readonly<Record<'modelIn' | 'transcript' | 'planHash', string>>,
): TestCohort {
  const { federationId, members } = roster;
  const view = rosterViewOf(roster);
  const manifest: Manifest = {
    ...makeCohort(members.length).manifest,
    ...{ federationId, rosterHash: view.rosterHash, runId: sample.runId, round: number, attempt },
    ...{ purpose, stepId, roles: members.map(({ id }) => ({ id, role: 0 as const })) },
    ...{ planHash: digestBytes(planHash), modelHash: digestBytes(modelIn) },
    prevTranscriptHash: digestBytes(transcript),
    deadlines: [1, 2, 3, 4, 5].map((minute) => Date.UTC(2026, 10, 20, 12, minute)),
    ...(purpose > 0 ? { ringBits: 64, fractionBits: 24, Q: 1, C: 1000 } : {}),
  };
  return {
    seeds: new Map(members.map(({ id, name }) => [id, SampleFederation.seed('site', name)])),
    ...{ coordinatorSeed: statementSeed, roster: view, manifest },
    coordinatorSignature: signManifest(statementSeed, manifest),
  };
}

/** Attempts that were run already: the same manifest with the same losses needs no second run. */
const attempts = new Map<string, AttemptState>();

/** Run an attempt by the real machines. @param context digest text of the manifest */
export function sampleAttempt(cohort: TestCohort, context: string, losses: Losses): AttemptState {
  const key = `${context} ${JSON.stringify(losses)}`;
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
