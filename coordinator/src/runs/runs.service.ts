import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { parseRunName, type RunProgram, runName } from '@regulon/shared/program';
import type { ReopenDocument } from '@regulon/shared/transparency';
import type { WireRunState } from '@regulon/shared/wire';
import { isFinal, liveStatuses, type RunTable } from '../storage/index.js';
import type { RoundDriver } from '../rounds/index.js';
import { objectorOf, withdrawalsIn } from './consent.js';
import { contractOfDocument, type SiteDataset } from './contract.js';
import type { ReopenReply } from './documents.js';
import { Proposals } from './proposals.js';
import { restoreProgram } from './restore-program.js';
import { removeAggregates, removeSpools } from './retention.js';
import { RunBoards } from './run-boards.js';
import { runContextOf } from './run-context.js';
import { RunDriver, wireStateOf } from './run-driver.js';
import { writeEndOfUnstarted } from './run-end.js';
import type { RunEvents } from './run-events.js';
import { RunMembers } from './run-members.js';
import { agreedDatasets, writeStart } from './run-start.js';
import type { RunsContext } from './runs-context.js';

/** Ended runs that a site hears of when it connects: it may have missed their end. */
const RECENT_ENDS = 8;
/** So long after the end of a run its sites take in and audit its last round; they give up after as long. */
const LAST_AUDITS_MS = 600_000;

/** Plans become runs, runs start, go on after a restart, and end. */
export class RunsService {
  private readonly drivers = new Map<string, RunDriver>();
  private readonly boards: RunBoards;
  private readonly members: RunMembers;
  private readonly proposals: Proposals;
  private starting: Promise<void> = Promise.resolve();
  private isClosed = false;
  private cancelRemoval: () => void = () => undefined;

  constructor(private readonly on: RunsContext) {
    this.boards = new RunBoards(() => on.services.clock.now());
    this.members = new RunMembers(on.runs, on.roster);
    this.proposals = new Proposals(on);
  }

  /** Runs under way. */
  get live(): Iterable<RunDriver> {
    return this.drivers.values();
  }

  driverOf(runId: Uint8Array): RunDriver | undefined {
    return this.drivers.get(runName(runId));
  }

  /** Live events of a run. */
  eventsOf(runId: Uint8Array): RunEvents {
    return this.boards.of(runId);
  }

  /** Take a proposed plan; see `Proposals.take`. */
  propose(...proposal: Parameters<Proposals['take']>): ReturnType<Proposals['take']> {
    return this.proposals.take(...proposal);
  }

  /** Start whatever can start; at most one run is under way beside parked ones, the others wait in their order. */
  startQueued(): void {
    this.starting = this.starting
      .then(() => this.tryStart())
      .catch((error: unknown) => this.on.services.fatal(error));
  }

  /**
   * After a restart of the process: rebuild every run that was under way; `resume` lets them go on.
   *
   * @throws E_STATE_DB when the rows of a run contradict each other
   */
  async restore(): Promise<void> {
    const { services, runs, roster } = this.on;
    for (const row of runs.withStatus(liveStatuses)) {
      if (!row.document)
        throw new RegulonError('E_STATE_DB', `${runName(row.run_id)} runs without a contract`);
      const contract = contractOfDocument(new Uint8Array(row.document), roster);
      const driver = this.driverFor(await restoreProgram(services, contract));
      await driver.restore();
      this.drivers.set(runName(contract.runId), driver);
    }
  }

  /** A stored upload is gone (crash recovery): its attempt cannot be folded. */
  uploadLost(row: { runId: Uint8Array; round: number; attempt: number; site: number }): void {
    const round = this.driverOf(row.runId)?.round;
    if (!round || round.round.round !== row.round || round.current?.key.attempt !== row.attempt) return;
    round.dispatch({
      type: 'broken',
      code: 'E_UPLOAD',
      message: `the stored upload of site ${row.site} is gone`,
      lasting: false,
    });
  }

  resume(): void {
    for (const driver of this.drivers.values()) driver.start();
    // the process may have ended between a withdrawal in the log and the end of its run
    this.endTakenBack();
    this.startQueued();
  }

  /** End a run. @throws E_NOT_FOUND; E_STATE when it has ended already */
  stop(name: string): void {
    const row = this.row(name);
    if (isFinal(row.status)) throw new RegulonError('E_STATE', `${name} has ended already: ${row.status}`);
    const driver = this.drivers.get(name);
    if (driver) return driver.stop('stopped by its researcher');
    this.endUnstarted(row, 'E_RUN_ABORTED', 'stopped before it began');
  }

  /** Runs under way end when, by the log, a steward has taken their plan or the site's dataset back. */
  endTakenBack(): void {
    const rows = this.on.runs.withStatus(liveStatuses);
    if (rows.length === 0) return;
    const taken = withdrawalsIn(this.on.sequencer);
    for (const row of rows) {
      const site = objectorOf(row, taken);
      if (site !== undefined)
        this.drivers.get(runName(row.run_id))?.stop(`the steward of ${site} took its consent back`);
    }
  }

  /** What the administrators would have to sign to reopen the burnt round of a run. @throws E_NOT_FOUND, E_STATE */
  reopenTerms(name: string): ReopenReply {
    const round = this.burntRound(name);
    const { document } = round.reopenTerms();
    const { code, message } = round.view.burnt ?? { code: 'E_DEADLINE', message: 'too few sites answer' };
    const { admins, k } = this.on.roster;
    return {
      document,
      reason: { code, message },
      administrators: admins.map(({ id, key }) => ({ id, key })),
      needed: k,
    };
  }

  /**
   * Go on with a burnt round.
   *
   * @throws E_NOT_FOUND; E_STATE, E_ROSTER, E_POLICY, E_U3 when the Reopen does not hold
   * @throws E_BUSY while another run is under way: the same document may be handed in when that has ended
   */
  reopen(name: string, document: ReopenDocument): void {
    const round = this.burntRound(name);
    const [other] = [...this.drivers].find(([run, driver]) => run !== name && !driver.isParked) ?? [];
    if (other !== undefined)
      throw new RegulonError(
        'E_BUSY',
        `${other} is under way, one run at a time: hand it in when that has ended`,
      );
    round.reopen(document);
  }

  private burntRound(name: string): RoundDriver {
    this.row(name);
    const round = this.drivers.get(name)?.round;
    if (!round) throw new RegulonError('E_STATE', `${name} has no round under way`);
    return round;
  }

  /** @throws E_NOT_FOUND; E_ARGUMENT when the name is not `run_` and 32 hexadecimal digits */
  row(name: string): RunTable {
    const row = this.on.runs.get(parseRunName(name));
    if (!row) throw new RegulonError('E_NOT_FOUND', `there is no ${name}`);
    return row;
  }

  /** @throws E_NOT_FOUND when there is no such run, or its plan does not name the site */
  expectMember(runId: Uint8Array, site: number): void {
    this.members.expect(runId, site);
  }

  /** Runs that matter to a site that connects: the ones that ended last, oldest first, then those under way. */
  statesFor(site: number): { runId: Uint8Array; state: WireRunState }[] {
    const own = this.on.runs.states().filter(({ run_id: id }) => this.members.of(id).includes(site));
    const ended = own.filter(({ status }) => isFinal(status)).slice(0, RECENT_ENDS);
    const live = own.filter(({ run_id: id }) => this.driverOf(id) !== undefined);
    return [...ended.reverse(), ...live].map(({ run_id: runId, status }) => ({
      runId: new Uint8Array(runId),
      state: wireStateOf(status),
    }));
  }

  /** Nothing is decided any more: the process ends. */
  close(): void {
    this.isClosed = true;
    this.cancelRemoval();
    for (const driver of this.drivers.values()) driver.close();
  }

  private async tryStart(): Promise<void> {
    if (this.isClosed || [...this.live].some((driver) => !driver.isParked)) return;
    const { runs } = this.on;
    for (const row of runs.withStatus(['QUEUED'])) {
      const datasets = agreedDatasets(this.on, row);
      // it may have been stopped while the one before it failed to start
      if (!datasets || runs.get(row.run_id)?.status !== 'QUEUED') continue;
      try {
        if (await this.begin(row, datasets)) return;
      } catch (error) {
        if (!isRegulonError(error) || error.code === 'E_INTERNAL') throw error;
        this.endUnstarted(row, error.code, error.message);
      }
    }
  }

  /** @returns false when the run was stopped before it was under way, so that another one may start */
  private async begin(row: RunTable, datasets: readonly SiteDataset[]): Promise<boolean> {
    const { services, runs } = this.on;
    const program = writeStart(this.on, row, datasets);
    const { runId } = program.contract;
    await services.log.publish();
    await this.removeEnded();
    if (this.isClosed) return true;
    this.removeLater();
    const started = runs.get(runId);
    if (!started || isFinal(started.status)) return false;
    this.on.onStart();
    const driver = this.driverFor(program);
    this.drivers.set(runName(runId), driver);
    services.announce(driver.sites, { type: 'run', run: runId, state: 'waiting' });
    const { status, since_ms: since } = started;
    this.eventsOf(runId).emit({ type: 'run', status, since, reason: null });
    driver.start();
    // a steward may have said no while the start was being published
    this.endTakenBack();
    return true;
  }

  /**
   * Remove masked vectors and sums of the last rounds of runs that ended long enough ago: a run that waited in the queue
   * begins at once, and the sites of the one before it still take in and audit its end.
   */
  private async removeEnded(): Promise<void> {
    const { services, runs, config } = this.on;
    const oldest = services.clock.now() - LAST_AUDITS_MS;
    const isOver = (id: Uint8Array): boolean => (runs.get(id)?.finished_ms ?? Infinity) <= oldest;
    if (config.retention.spools !== 'keep')
      await removeSpools(services, 'next-run', ({ runId }) => isOver(runId));
    if (config.retention.aggregates !== 'keep') removeAggregates(services, isOver);
  }

  /** What is too young to go when a run begins goes while it is under way. */
  private removeLater(): void {
    const { clock, fatal } = this.on.services;
    this.cancelRemoval();
    this.cancelRemoval = clock.after(LAST_AUDITS_MS, () => {
      this.starting = this.starting
        .then(() => (this.isClosed ? undefined : this.removeEnded()))
        .catch((error: unknown) => fatal(error));
    });
  }

  private driverFor(program: RunProgram): RunDriver {
    const { services, runs, presence } = this.on;
    const { runId } = program.contract;
    return new RunDriver({
      ...{ services, runs, presence },
      context: runContextOf(this.on, program),
      events: this.eventsOf(runId),
      onParked: () => this.startQueued(),
      onEnd: () => {
        this.drivers.delete(runName(runId));
        this.startQueued();
      },
    });
  }

  /** A run that never began: nothing was asked of the sites. */
  private endUnstarted(row: RunTable, code: string, message: string): void {
    const { services, runs } = this.on;
    const runId = new Uint8Array(row.run_id);
    const failure = { status: 'ABORTED', code, message } as const;
    services.store.transaction(() => writeEndOfUnstarted(services, runs, runId, failure));
    const since = services.clock.now();
    const events = this.eventsOf(runId);
    events.emit({ type: 'run', status: failure.status, since, reason: { code, message } });
    events.emit({ type: 'end', status: failure.status });
    services.logger.warn({ run: runName(runId), code }, message);
  }
}
