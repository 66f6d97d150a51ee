import { RegulonError } from '@regulon/shared/errors';
import { Purpose, type ScheduledRound } from '@regulon/shared/program';
import type { WireRunState } from '@regulon/shared/wire';
import {
  type BoardEvent,
  RoundDriver,
  type RoundFacts,
  type RoundListener,
  type RoundState,
  type RunContext,
  type Services,
} from '../rounds/index.js';
import type { RunRows, RunStatus } from '../storage/index.js';
import type { Presence } from '../sites/index.js';
import { removeEarlierSpools, removeReplacedModels } from './retention.js';
import { type RunFailure, writeEnd } from './run-end.js';
import type { RunEvents } from './run-events.js';

/** What a run driver stands on. */
export interface RunDriverContext {
  readonly services: Services;
  readonly context: RunContext;
  readonly runs: RunRows;
  readonly presence: Presence;
  readonly events: RunEvents;
  /** the run waits for its administrators: another one may begin */
  readonly onParked: () => void;
  /** the run has ended, whatever its status */
  readonly onEnd: () => void;
}

const wireStates: Readonly<Record<RunStatus, WireRunState>> = {
  QUEUED: 'proposed',
  WAITING: 'waiting',
  RUNNING: 'running',
  PAUSED: 'paused',
  COMPLETED: 'finished',
  COMPLETED_PARTIAL: 'finished',
  ABORTED: 'aborted',
  FAILED: 'aborted',
};

/** State of a run for the wire. */
export const wireStateOf = (status: RunStatus): WireRunState => wireStates[status];

/** Takes a started run through its rounds to its end. */
export class RunDriver implements RoundListener {
  private driver: RoundDriver | null = null;
  private hasEnded = false;
  private isClosed = false;
  private readonly unlisten: () => void;

  constructor(private readonly on: RunDriverContext) {
    this.unlisten = on.presence.listen({
      connected: (site) => this.siteChanged(site, 'connected'),
      disconnected: (site) => this.siteChanged(site, 'disconnected'),
      departed: (site) => this.siteChanged(site, 'departed'),
    });
  }

  get context(): RunContext {
    return this.on.context;
  }

  get runId(): Uint8Array {
    return this.context.program.contract.runId;
  }

  get sites(): number[] {
    return this.context.program.contract.sites.map((s) => s.id);
  }

  /** The round under way, or null between rounds. */
  get round(): RoundDriver | null {
    return this.driver;
  }

  /** Its round is burnt: until the administrators reopen it, nothing is asked of the sites. */
  get isParked(): boolean {
    return this.driver?.phase === 'burnt';
  }

  /** Rebuild the round that was under way from its rows; nothing is decided before `start`. */
  async restore(): Promise<void> {
    const round = this.context.program.next();
    if (!round || this.on.services.rounds.state(this.runId, round.round) === undefined) return;
    await this.ensureModel(round);
    this.driver = this.driverFor(round);
  }

  /** Go on, or begin. */
  start(): void {
    if (!this.driver) return this.advance();
    this.driver.recoverCommits();
    this.driver.begin(true);
    for (const site of this.on.presence.connected) this.siteChanged(site, 'connected');
  }

  /** End the run: what is open is aborted. */
  stop(message: string): void {
    if (this.hasEnded) return;
    if (this.driver) this.driver.dispatch({ type: 'stopped', message });
    else this.finish({ status: 'ABORTED', code: 'E_RUN_ABORTED', message });
  }

  /** Stop without deciding anything: the process ends. */
  close(): void {
    this.isClosed = true;
    this.unlisten();
    this.driver?.stop();
  }

  stateChanged(state: RoundState): void {
    const isPaused = state.phase === 'burnt' || state.pausedSince !== null;
    const status = state.phase === 'waiting' ? 'WAITING' : isPaused ? 'PAUSED' : 'RUNNING';
    if (state.phase !== 'failed') this.setStatus(status);
  }

  failed(failure: RunFailure): void {
    this.writeEnd(failure);
  }

  ended(): void {
    this.afterEnd();
  }

  /** A checkpoint over the close; only then are uploads of earlier rounds removed. */
  private async publishClose({ round }: ScheduledRound): Promise<void> {
    const { services } = this.on;
    await services.log.publish();
    const { keepSpools, auditRounds } = this.context;
    if (!keepSpools) await removeEarlierSpools(services, { runId: this.runId, round }, auditRounds);
  }

  parked(): void {
    // once more, after the end of the attempt: the sites have nothing to do here and may attend to another run
    this.on.services.announce(this.sites, { type: 'run', run: this.runId, state: wireStateOf('PAUSED') });
    this.on.onParked();
  }

  closed(round: ScheduledRound): void {
    const { services, events } = this.on;
    const row = services.rounds.outcome(this.runId, round.round);
    if (row) {
      const facts = JSON.parse(row.facts) as RoundFacts;
      events.emit({ type: 'closed', facts });
      services.onRoundClosed(facts);
    }
    this.driver = null;
    this.later(this.publishClose(round));
    if (!this.context.keepSpools) removeReplacedModels(services, this.context.program);
    this.advance();
  }

  show(event: BoardEvent): void {
    this.on.events.emit(event);
  }

  private siteChanged(site: number, type: 'connected' | 'disconnected' | 'departed'): void {
    if (!this.sites.includes(site) || this.hasEnded) return;
    if (type !== 'departed')
      this.on.events.emit({ type: 'site-link', site, connected: type === 'connected' });
    this.driver?.dispatch({ type, site });
  }

  private advance(): void {
    this.later(this.next());
  }

  private async next(): Promise<void> {
    const { program } = this.context;
    const round = program.next();
    if (this.isClosed) return;
    if (!round) return this.finish(null);
    await this.ensureModel(round);
    if (this.isClosed) return;
    this.driver = this.driverFor(round);
    this.driver.begin(false);
  }

  private driverFor(round: ScheduledRound): RoundDriver {
    const { services, context, presence } = this.on;
    const ofRun = (ids: readonly number[]): number[] => ids.filter((id) => this.sites.includes(id));
    const here = { connected: ofRun(presence.connected), departed: ofRun(presence.departed) };
    return new RoundDriver(services, context, round, this, here);
  }

  /** The first training round of an arm starts from its initial weights; a restart makes them again. */
  private async ensureModel({ purpose, arm }: ScheduledRound): Promise<void> {
    if (purpose === Purpose.train && !this.context.program.model(arm)) await this.initialise(arm);
  }

  /** Initial weights of an arm, in the worker. */
  private async initialise(arm: number): Promise<void> {
    const { program } = this.context;
    const { services } = this.on;
    const place = { folder: services.blobs.folder, temporary: services.blobs.temporary() };
    const specs = program.weightSpecs(arm);
    const { seed } = program.contract.plan;
    const { digest, size } = await services.aggregator.run({
      kind: 'initial-model',
      specs,
      seed,
      arm,
      place,
    });
    const round = program.next()?.round ?? 0;
    services.rounds.putBlob({ digest, size, kind: 'model', run_id: this.runId, arm, round });
    program.setInitialModel(arm, digest);
  }

  private setStatus(status: RunStatus): void {
    const row = this.on.runs.get(this.runId);
    if (row?.status === status) return;
    const since = this.on.services.clock.now();
    this.on.runs.update(this.runId, { status, since_ms: since });
    this.on.events.emit({ type: 'run', status, since, reason: null });
    this.on.services.announce(this.sites, { type: 'run', run: this.runId, state: wireStateOf(status) });
  }

  /** The run is over without a round to blame. */
  private finish(failure: RunFailure | null): void {
    this.on.services.store.transaction(() => this.writeEnd(failure));
    this.afterEnd();
  }

  private writeEnd(failure: RunFailure | null): void {
    writeEnd(this.on.services, this.on.runs, this.context, failure);
  }

  private afterEnd(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    const { services, events, runs } = this.on;
    const row = runs.get(this.runId);
    if (!row) throw new RegulonError('E_INTERNAL', 'a run without a row ended');
    const reason = row.reason === null ? null : (JSON.parse(row.reason) as { code: string; message: string });
    events.emit({ type: 'run', status: row.status, since: row.since_ms, reason });
    const end = async (): Promise<void> => {
      await services.log.publish();
      services.announce(this.sites, { type: 'run', run: this.runId, state: wireStateOf(row.status) });
      events.emit({ type: 'end', status: row.status });
      this.on.onEnd();
    };
    this.close();
    this.driver = null;
    this.later(end());
  }

  private later(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.on.services.fatal(error));
  }
}
