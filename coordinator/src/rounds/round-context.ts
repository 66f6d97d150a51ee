import { combinationOf, type Roster } from '@regulon/shared/plan';
import type { RunProgram, ScheduledRound } from '@regulon/shared/program';
import { ownedBlocks, Purpose } from '@regulon/shared/program';
import type { RosterView } from '@regulon/shared/secagg';
import type { Config } from '../config/index.js';
import type { RoundRules, RoundState } from './machine/index.js';

/** What the rounds of one run share. */
export interface RunContext {
  readonly program: RunProgram;
  readonly roster: RosterView;
  /** who may reopen a burnt round, and how many of them */
  readonly administrators: Pick<Roster, 'admins' | 'k'>;
  /** sites with public data in a run that is not public: they count towards no minimum */
  readonly uncounted: readonly number[];
  readonly config: Config['rounds'];
  /** masked vectors are kept for a full audit */
  readonly keepSpools: boolean;
  /** else they are kept for so many rounds, the last one among them */
  readonly auditRounds: number;
  /** lower bound of the units of some sites, from the bands in their commitments */
  readonly unitsAtLeast: (sites: readonly number[]) => number;
}

/** Live facts for a board; numbers over all sites only. */
export type BoardEvent =
  | {
      readonly type: 'round';
      readonly round: number;
      readonly rounds: number;
      readonly attempt: number;
      readonly purpose: string;
      readonly step: string;
      readonly arm: number;
      readonly iteration: number;
      /** what the round does not protect against, in words for people */
      readonly warnings: readonly string[];
    }
  | {
      readonly type: 'stage';
      readonly round: number;
      readonly attempt: number;
      readonly stage: string;
      readonly since: number;
      readonly deadline: number | null;
      readonly waitingFor: readonly number[];
    }
  | {
      readonly type: 'site';
      readonly site: number;
      readonly round: number;
      readonly attempt: number;
      readonly stage: string;
      readonly state: 'done' | 'uploading' | 'refused' | 'complained' | 'struck';
      readonly code?: string;
      readonly bytes?: number;
      readonly of?: number;
    };

/** What a round tells the run it belongs to. */
export interface RoundListener {
  /** inside the transaction that persists the state */
  stateChanged(state: RoundState, round: ScheduledRound): void;
  /** after the round closed */
  closed(round: ScheduledRound): void;
  /** after the round was burnt: nothing happens in it before its administrators have signed */
  parked(): void;
  /** inside the transaction that persists the failure */
  failed(failure: NonNullable<RoundState['failure']>): void;
  /** after that transaction */
  ended(): void;
  show(event: BoardEvent): void;
}

/** The rules of an attempt whose U1 is cut into groups. @param groups none while U1 is open */
export function withGroups(
  rules: RoundRules,
  groups: readonly { readonly u1: readonly number[] }[],
): RoundRules {
  return rules.subCohort === 0 || groups.length === 0
    ? rules
    : { ...rules, groups: groups.map(({ u1 }) => u1) };
}

/** Longest stage when neither plan nor configuration says more, s. */
const STAGE_SECONDS = 120;
const RESUME_MS = 30_000;
const RETRY_MS = 1_000;

/** Whether a sum waits for every contributor: a statistic over fewer units than the one before it fails the run. */
const isComplete = (purpose: Purpose, isPublic: boolean): boolean =>
  purpose === Purpose.statistics || (purpose === Purpose.evaluation && !isPublic);

/** Rules of a round, from plan, roster and configuration. */
export function rulesOf(
  { program, roster, uncounted, config }: RunContext,
  round: ScheduledRound,
): RoundRules {
  const { plan, sites, isPublic } = program.contract;
  const { roundDeadlineSeconds, idleLimitSeconds, minSurvivors } = plan.deadlines;
  const { stageSeconds } = config;
  const ms = (configured: number | undefined, longest: number): number =>
    1000 * Math.min(configured ?? longest, roundDeadlineSeconds);
  return {
    sites: sites.map((s) => s.id).sort((a, b) => a - b),
    contributors: round.contributors,
    counted: round.contributors.filter((id) => !uncounted.includes(id)),
    blocks: round.purpose === Purpose.train ? ownedBlocks(program.contract) : [],
    M: roster.M,
    gammaNum: plan.secureAggregation.gamma.num,
    gammaDen: plan.secureAggregation.gamma.den,
    strict: roster.quorumRule === 0,
    nMin: plan.secureAggregation.nMin,
    subCohort: round.purpose === Purpose.train ? (plan.secureAggregation.subCohort ?? 0) : 0,
    leastGroups: Math.max(2, combinationOf(plan).leastGroups),
    groups: null,
    minSurvivors: minSurvivors ?? 0,
    fullCohort: isComplete(round.purpose, isPublic),
    maxAttempts: config.maxAttempts,
    stageMs: [
      ms(stageSeconds.advertise, STAGE_SECONDS),
      ms(stageSeconds.share, STAGE_SECONDS),
      ms(stageSeconds.input, roundDeadlineSeconds),
      ms(stageSeconds.consistency, STAGE_SECONDS),
      ms(stageSeconds.unmask, STAGE_SECONDS),
    ],
    gatherMs: 1000 * config.gatherSeconds,
    idleLimitMs: 1000 * idleLimitSeconds,
    retryMs: RETRY_MS,
    resumeMs: Math.min(RESUME_MS, 1000 * config.departureSeconds),
  };
}
