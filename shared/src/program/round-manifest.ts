import type { Manifest } from '../secagg/index.js';
import type { RunContract } from './contract.js';
import type { ExtraField } from './extras.js';
import { quantumOf } from './quantum.js';
import { Purpose, type ScheduledRound } from './schedule.js';

/** Wire version of the manifest. */
const VERSION = 1;

/** What the coordinator decides when it opens an attempt; everything else in a manifest follows from the plan. */
export interface OpenedAttempt {
  /** from 0 */
  readonly attempt: number;
  /** T of the attempt before, 32 bytes; zeros for the first of a run */
  readonly prevTranscriptHash: Uint8Array;
  /** ends of R0…R4, ms since the epoch */
  readonly deadlines: Manifest['deadlines'];
}

/** What a program knows of a round before it opens. */
export interface RoundFacts {
  /** what the contributors start from, 32 bytes */
  readonly modelHash: Uint8Array;
  /** d: coordinates of the vector, extras not counted */
  readonly length: number;
  readonly extras: readonly ExtraField[];
  /** B of a statistics or evaluation round; not read for training */
  readonly bound: number;
  /** 0 for training */
  readonly fractionBits: number;
}

const mechanismOf = { 'discrete-gaussian': 1, skellam: 2 } as const;

/** Every field of the manifest of one attempt. */
export function roundManifest(
  contract: RunContract,
  round: ScheduledRound,
  facts: RoundFacts,
  open: OpenedAttempt,
): Manifest {
  const { plan, sites } = contract;
  const { clipNorm, weightCap, nMin, gamma, noise, subCohort = 0 } = plan.secureAggregation;
  const training = round.purpose === Purpose.train;
  const silent = new Set(round.silent);
  return {
    version: VERSION,
    federationId: contract.federationId,
    rosterHash: contract.rosterHash,
    runId: contract.runId,
    round: round.round,
    attempt: open.attempt,
    purpose: round.purpose,
    stepId: round.stepId,
    arm: round.arm,
    roles: sites.map(({ id }) => ({ id, role: silent.has(id) ? (1 as const) : (0 as const) })),
    planHash: contract.planHash,
    modelHash: facts.modelHash,
    prevTranscriptHash: open.prevTranscriptHash,
    N: sites.length,
    d: facts.length,
    extras: facts.extras.map((extra) => ({ ...extra })),
    Q: training ? quantumOf(plan) : 1,
    C: training ? clipNorm : facts.bound,
    weightCap: training ? weightCap : 0,
    nMin,
    gammaNum: gamma.num,
    gammaDen: gamma.den,
    quorumRule: contract.quorumRule,
    ringBits: training ? 32 : 64,
    fractionBits: facts.fractionBits,
    ...{ denominator: 0, prg: 0, graph: 0 },
    ...(training && noise ? { mechanism: mechanismOf[noise.mechanism], z: noise.z } : { mechanism: 0, z: 0 }),
    subCohort: training ? subCohort : 0,
    deadlines: open.deadlines,
  };
}
