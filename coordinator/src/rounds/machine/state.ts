import type { OwnedBlock } from '@regulon/shared/program';

/** Phases of a round at the coordinator; the five in the middle are R0 to R4 of the protocol. */
export type Phase =
  | 'waiting'
  | 'advertise'
  | 'share'
  | 'input'
  | 'consistency'
  | 'unmask'
  | 'fold'
  /** shares were asked for and no sum can come of them: the administrators may reopen the round, once */
  | 'burnt'
  | 'closed'
  | 'failed';

/** Stages in which sites answer, in the order of the manifest's deadlines. */
export const answerPhases = ['advertise', 'share', 'input', 'consistency', 'unmask'] as const;
/** A phase in which sites answer. */
export type AnswerPhase = (typeof answerPhases)[number];

/** Stage of the protocol in which a phase ends, for wire and log; a fold still belongs to R4. */
export const stageOfPhase: Readonly<Partial<Record<Phase, 'r0' | 'r1' | 'r2' | 'r3' | 'r4'>>> = {
  advertise: 'r0',
  share: 'r1',
  input: 'r2',
  consistency: 'r3',
  unmask: 'r4',
  fold: 'r4',
};

/** What a round must keep to; fixed by plan, roster and configuration. Times in ms. */
export interface RoundRules {
  /** sites of the plan, ascending ids */
  readonly sites: readonly number[];
  /** sites whose data are in the sum of this round */
  readonly contributors: readonly number[];
  /** contributors that count towards a minimum: in a run that is not public, those whose data are not public */
  readonly counted: readonly number[];
  /** blocks that only some sites train: each is a sum of its own */
  readonly blocks: readonly OwnedBlock[];
  /** members of the roster */
  readonly M: number;
  readonly gammaNum: number;
  readonly gammaDen: number;
  readonly strict: boolean;
  readonly nMin: number;
  /** raises the smallest releasable cohort; 0 = no */
  readonly minSurvivors: number;
  /** least sites of a group that is summed by itself; 0 = all sites are summed at once */
  readonly subCohort: number;
  /** fewest groups of U1, with sub-cohorts: two, or as many as the rule that compares them needs */
  readonly leastGroups: number;
  /** the groups of U1 once it is fixed, with sub-cohorts */
  readonly groups: readonly (readonly number[])[] | null;
  /** every contributor must be in the sum (statistics; evaluation of a run that is not public) */
  readonly fullCohort: boolean;
  readonly maxAttempts: number;
  /** longest stage times R0 to R4 */
  readonly stageMs: readonly [number, number, number, number, number];
  /** how long to wait for the rest once enough sites are connected */
  readonly gatherMs: number;
  readonly idleLimitMs: number;
  /** pause between the end of an attempt and the next one */
  readonly retryMs: number;
  /** after a restart no deadline ends a stage for so long: the sites reconnect first */
  readonly resumeMs: number;
}

/** A site that will not take part. */
export interface Refusal {
  readonly site: number;
  readonly phase: Phase;
  readonly code: string;
  /** it would refuse every further attempt too */
  readonly lasting: boolean;
}

/** Why a round is burnt, and for whom it may be reopened. */
export interface Burnt {
  /** the attempt in which shares were asked for */
  readonly attempt: number;
  readonly code: string;
  readonly message: string;
  /** who dealt wrong shares, provably; it takes no further part */
  readonly dealer: number | null;
  /** U3 ∩ contributors of that attempt, less the dealer */
  readonly contributors: readonly number[];
}

/** Everything that decides how a round goes on; plain JSON, persisted with each change. */
export interface RoundState {
  readonly phase: Phase;
  readonly attempt: number;
  /** attempts that ended after a byte of a masked vector had arrived */
  readonly spent: number;
  /** since when the round waits for sites */
  readonly waitingSince: number;
  /** absolute ends of R0 to R4 of this attempt, as its manifest says */
  readonly deadlines: readonly [number, number, number, number, number];
  /** deadlines count as reached only after this time */
  readonly notBefore: number;
  /** sites whose message of this stage is persisted, ascending */
  readonly answered: readonly number[];
  readonly u1: readonly number[];
  readonly u2: readonly number[];
  readonly u3: readonly number[];
  readonly uploadBegan: boolean;
  /** sites whose uploads broke a rule in this attempt, once for each time */
  readonly strikes: readonly number[];
  /** enough matching shares are stored to open every mask */
  readonly unmaskable: boolean;
  readonly refusals: readonly Refusal[];
  /** complainant and accused of each dispute about a share, over all attempts */
  readonly disputes: readonly (readonly [number, number])[];
  readonly connected: readonly number[];
  /** disconnected for longer than the grace period */
  readonly departed: readonly number[];
  /** since when R3 or R4 lacks answers beyond its deadline */
  readonly pausedSince: number | null;
  /** set from the first time that shares were asked for in vain; a round is burnt once */
  readonly burnt: Burnt | null;
  /** the administrators reopened the round: the attempt at hand has exactly these contributors */
  readonly isReopened: boolean;
  readonly failure: {
    readonly status: 'ABORTED' | 'FAILED';
    readonly code: string;
    readonly message: string;
  } | null;
}

/** What can happen to a round. */
export type RoundEvent =
  /** the round may begin: its model is known */
  | { readonly type: 'begin' }
  /** the process started again and read this state */
  | { readonly type: 'restarted' }
  | { readonly type: 'connected'; readonly site: number }
  | { readonly type: 'disconnected'; readonly site: number }
  | { readonly type: 'departed'; readonly site: number }
  /** a verified message of this stage was persisted */
  | {
      readonly type: 'answered';
      readonly phase: AnswerPhase;
      readonly site: number;
      readonly unmaskable?: boolean;
    }
  | { readonly type: 'upload-began' }
  | { readonly type: 'refused'; readonly site: number; readonly code: string; readonly lasting: boolean }
  | { readonly type: 'complained'; readonly site: number; readonly about: number }
  /** an upload broke a rule; the third time ends the attempt for its site */
  | { readonly type: 'struck'; readonly site: number }
  /** a stored upload of the fixed cohort is gone, or a share cannot be reconstructed */
  | {
      readonly type: 'broken';
      readonly code: string;
      readonly message: string;
      readonly lasting: boolean;
      /** who dealt wrong shares, provably */
      readonly dealer?: number;
    }
  /** a Reopen of the administrators was verified: its contributors are those of `reopenable` */
  | { readonly type: 'reopened' }
  | { readonly type: 'folded' }
  | { readonly type: 'stopped'; readonly message: string }
  | { readonly type: 'time' };

/** What follows from a decision; carried out by the driver. */
export type RoundEffect =
  /** sign and log a manifest, tell the sites */
  | { readonly type: 'open'; readonly attempt: number; readonly deadlines: RoundState['deadlines'] }
  | { readonly type: 'fix'; readonly set: 'u1' | 'u2' | 'u3'; readonly members: readonly number[] }
  /** enough sites confirmed the survivors: ask for the shares */
  | { readonly type: 'ask-shares' }
  | { readonly type: 'fold' }
  /** log the end of this attempt, wipe it at the sites */
  | { readonly type: 'abort'; readonly attempt: number; readonly code: string; readonly message: string }
  /** the run cannot go on */
  | {
      readonly type: 'fail';
      readonly status: 'ABORTED' | 'FAILED';
      readonly code: string;
      readonly message: string;
    };

/** What follows from an event. */
export interface Transition {
  readonly state: RoundState;
  readonly effects: readonly RoundEffect[];
}

/** A round before its first event. @param connected sites that are connected now @param departed gone for long */
export function newRound(
  now: number,
  connected: readonly number[],
  departed: readonly number[] = [],
): RoundState {
  return {
    phase: 'waiting',
    attempt: 0,
    spent: 0,
    waitingSince: now,
    deadlines: [0, 0, 0, 0, 0],
    notBefore: 0,
    answered: [],
    u1: [],
    u2: [],
    u3: [],
    uploadBegan: false,
    strikes: [],
    unmaskable: false,
    refusals: [],
    disputes: [],
    connected,
    departed,
    pausedSince: null,
    burnt: null,
    isReopened: false,
    failure: null,
  };
}
