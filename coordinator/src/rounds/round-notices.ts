import { runName, type ScheduledRound } from '@regulon/shared/program';
import { warningsOf } from '@regulon/shared/secagg';
import type { WireStage } from '@regulon/shared/wire';
import type { Attempt } from './attempt.js';
import { answerPhases, type AnswerPhase, type RoundState } from './machine/index.js';
import type { Services } from './ports.js';
import type { BoardEvent, RoundListener, RunContext } from './round-context.js';
import { purposeName } from './round-facts.js';

type SiteEvent = Extract<BoardEvent, { type: 'site' }>;

/** What the sites and the boards hear of one round. */
export class RoundNotices {
  constructor(
    private readonly services: Services,
    private readonly context: RunContext,
    private readonly round: ScheduledRound,
    private readonly listener: Pick<RoundListener, 'show'>,
    /** of the plan */
    private readonly sites: readonly number[],
  ) {}

  /** An attempt begins; the sites hear of its first stage. */
  opened({ key: { attempt }, server }: Attempt): void {
    const { round, purpose, stepId: step, arm, iteration } = this.round;
    const rounds = this.context.program.schedule.length;
    const warnings = warningsOf(server.manifest, server.thresholds.c);
    for (const warning of warnings) this.services.logger.warn({ run: this.runName, round, attempt }, warning);
    this.listener.show({
      ...{ type: 'round', round, rounds, attempt, step, arm, iteration },
      ...{ purpose: purposeName(purpose), warnings },
    });
  }

  /** A stage is open, or the round has closed. */
  stage(attempt: number, stage: WireStage, state: RoundState): void {
    this.tellSites(attempt, stage);
    this.board(state);
  }

  /** An attempt ended without a sum: the sites wipe it. */
  aborted(attempt: number): void {
    this.tellSites(attempt, 'aborted');
  }

  /** The round waits for its administrators: sites hear of it as a pause of the run. */
  burnt(state: RoundState): void {
    const { round } = this.round;
    const { code, message } = state.burnt ?? {};
    this.services.logger.warn({ run: this.runName, round, code }, `round ${round} is burnt: ${message}`);
    this.board(state);
  }

  /** The phase on the boards, also one of which the sites hear nothing. */
  board({ phase, attempt, answered, deadlines }: RoundState): void {
    const index = answerPhases.indexOf(phase as AnswerPhase);
    this.listener.show({
      ...{ type: 'stage', round: this.round.round, attempt, stage: phase },
      since: this.services.clock.now(),
      deadline: deadlines[index] ?? null,
      waitingFor: index < 0 ? [] : this.sites.filter((id) => !answered.includes(id)),
    });
  }

  /** What one site does in an attempt. */
  site(event: Omit<SiteEvent, 'type' | 'round'>): void {
    this.listener.show({ type: 'site', round: this.round.round, ...event });
  }

  private get runName(): string {
    return runName(this.context.program.contract.runId);
  }

  private tellSites(attempt: number, stage: WireStage): void {
    const { runId: run } = this.context.program.contract;
    this.services.announce(this.sites, { type: 'stage', run, round: this.round.round, attempt, stage });
  }
}
