import { fromHex, randomBytes } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { parsePlan, type Plan, planBytes, planHashOf, type Roster } from '@regulon/shared/plan';
import { contractOf, parseRunName, type RunContract, RunProgram, runName } from '@regulon/shared/program';
import type { RosterView } from '@regulon/shared/secagg';
import { type BodyOf, digestText, parseEntry } from '@regulon/shared/transparency';
import type { Sequencer } from '../audit/index.js';
import type { Config } from '../config/index.js';
import type { RunContext, Services } from '../rounds/index.js';
import type { Presence } from '../sites/index.js';
import { finalStatuses, type RunRows, type RunStatus, type RunTable } from '../storage/index.js';
import { contractOfDocument, documentOf, panelOf, type SiteDataset } from './contract.js';
import type { LogIntake } from './log-intake.js';
import { restoreProgram } from './restore-program.js';
import { RunDriver, wireStateOf } from './run-driver.js';
import { RunBoards } from './run-boards.js';
import type { RunEvents } from './run-events.js';

/** What the life cycle of runs stands on. */
export interface RunsContext {
  readonly services: Services;
  readonly runs: RunRows;
  readonly sequencer: Sequencer;
  readonly intake: LogIntake;
  readonly presence: Presence;
  readonly roster: Roster;
  readonly rosterView: RosterView;
  readonly config: Config;
  /** a run begins: keys that live for a run change */
  readonly onStart: () => void;
}

const lowestOfBand: Readonly<Record<string, number>> = {
  '<20': 0,
  '20-49': 20,
  '50-99': 50,
  '100-199': 100,
  '200-499': 200,
  '500+': 500,
};

/** Plans become runs, runs start, go on after a restart, and end. */
export class RunsService {
  private readonly drivers = new Map<string, RunDriver>();
  /** roster ids by run; a plan never changes */
  private readonly sitesOfRun = new Map<string, readonly number[]>();
  private readonly boards: RunBoards;
  private starting: Promise<void> = Promise.resolve();

  constructor(private readonly on: RunsContext) {
    this.boards = new RunBoards(() => on.services.clock.now());
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

  /**
   * Take a proposed plan: entry and run are one transaction. The same entry gives the same run again.
   *
   * @param bytes plan.propose entry, sealed by the researcher
   * @param value the plan that the entry names by its hash; attacker-controlled
   * @throws E_PLAN, E_POLICY, E_COHORT when the plan cannot become a run
   * @throws E_LOG_ENTRY when the entry breaks a rule of the log or proposes another plan; nothing is logged
   * @throws E_LOG_EQUIVOCATION when the researcher signed another entry with this number
   */
  async propose(
    bytes: Uint8Array,
    value: unknown,
    attachments: readonly Uint8Array[],
  ): Promise<{ run: string; index: number }> {
    const { roster, runs, intake } = this.on;
    const plan = parsePlan(value);
    this.checkContract(plan, roster);
    const entry = parseEntry(bytes);
    if (entry.kind !== 'plan.propose' || entry.body.planHash !== digestText(planHashOf(plan))) {
      throw new RegulonError('E_LOG_ENTRY', 'the entry does not propose this plan');
    }
    const insert = (at: number): void => void this.insertRun(plan, at);
    const { index } = await intake.append(bytes, [planBytes(plan), ...attachments], insert);
    // the entry may have come by another way before, without its plan
    const runId = runs.proposedBy(index)?.run_id ?? this.insertRun(plan, index);
    return { run: runName(runId), index };
  }

  /** Start whatever can start; at most one run is under way, the others wait in their order. */
  startQueued(): void {
    this.starting = this.starting
      .then(() => this.tryStart())
      .catch((error: unknown) => this.on.services.fatal(error));
  }

  /** After a restart of the process: rebuild every run that was under way; `resume` lets them go on. */
  async restore(): Promise<void> {
    const live: RunStatus[] = ['WAITING', 'RUNNING', 'PAUSED'];
    for (const row of this.on.runs.list().filter((r) => live.includes(r.status as RunStatus))) {
      if (!row.document)
        throw new RegulonError('E_STATE_DB', `${runName(row.run_id)} runs without a contract`);
      const contract = contractOfDocument(new Uint8Array(row.document), this.on.roster);
      const driver = this.driverFor(contract, await restoreProgram(this.on.services, contract));
      driver.restore();
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
    this.startQueued();
  }

  /** End a run. @throws E_NOT_FOUND; E_STATE when it has ended already */
  stop(name: string): void {
    const row = this.row(name);
    if (finalStatuses.includes(row.status as RunStatus))
      throw new RegulonError('E_STATE', `${name} has ended already: ${row.status}`);
    const driver = this.drivers.get(name);
    if (driver) return driver.stop('stopped by its researcher');
    this.endUnstarted(row, 'E_RUN_ABORTED', 'stopped before it began');
  }

  /** @throws E_NOT_FOUND */
  row(name: string): RunTable {
    const row = this.on.runs.get(parseRunName(name));
    if (!row) throw new RegulonError('E_NOT_FOUND', `there is no ${name}`);
    return row;
  }

  /** @throws E_NOT_FOUND when there is no such run, or its plan does not name the site */
  expectMember(runId: Uint8Array, site: number): void {
    const name = runName(runId);
    let sites = this.sitesOfRun.get(name);
    if (!sites) {
      const row = this.on.runs.get(runId);
      sites = row ? this.siteIds(JSON.parse(row.plan) as Plan) : [];
      if (row) this.sitesOfRun.set(name, sites);
    }
    if (!sites.includes(site)) throw new RegulonError('E_NOT_FOUND', `site ${site} has no part in ${name}`);
  }

  /** Runs that matter to a site that connects: those under way, and the ones that ended last. */
  statesFor(site: number): { runId: Uint8Array; state: ReturnType<typeof wireStateOf> }[] {
    const rows = this.on.runs
      .list()
      .filter((row) => this.siteIds(JSON.parse(row.plan) as Plan).includes(site));
    const ended = rows.filter((row) => finalStatuses.includes(row.status as RunStatus)).slice(0, 8);
    const live = rows.filter((row) => this.drivers.has(runName(row.run_id)));
    return [...ended.reverse(), ...live].map((row) => ({
      runId: new Uint8Array(row.run_id),
      state: wireStateOf(row.status),
    }));
  }

  close(): void {
    for (const driver of this.drivers.values()) driver.close();
  }

  private siteIds(plan: Plan): number[] {
    return this.on.roster.members.filter((m) => plan.sites.includes(m.name)).map((m) => m.id);
  }

  /** Roster and thresholds are checked before anything is logged; the panel is not known yet. */
  private checkContract(plan: Plan, roster: Roster): void {
    const panel = { digest: new Uint8Array(32), size: 1 };
    const { thresholds } = contractOf({ runId: new Uint8Array(16), plan, roster, panel, isPublic: false });
    const least = Math.max(
      thresholds.uMin,
      plan.deadlines.minSurvivors ?? 0,
      plan.secureAggregation.nMin,
      thresholds.quorum,
    );
    if (plan.sites.length < least) {
      throw new RegulonError(
        'E_COHORT',
        `plan: sites: ${plan.sites.length} sites, a releasable sum needs ${least}`,
      );
    }
  }

  /** @returns the id of the new run */
  private insertRun(plan: Plan, proposedAt: number): Uint8Array {
    const runId = this.newRunId();
    const now = this.on.services.clock.now();
    this.on.runs.insert({
      run_id: runId,
      name: plan.name,
      plan: JSON.stringify(plan),
      plan_hash: planHashOf(plan),
      propose_index: proposedAt,
      status: 'QUEUED',
      since_ms: now,
      created_ms: now,
    });
    return runId;
  }

  private newRunId(): Uint8Array {
    const { testing } = this.on.config;
    const injected = testing?.runId === undefined ? undefined : fromHex(testing.runId);
    return injected && !this.on.runs.get(injected) ? injected : randomBytes(16);
  }

  private async tryStart(): Promise<void> {
    if (this.drivers.size > 0) return;
    const queued = this.on.runs
      .list()
      .filter((r) => r.status === 'QUEUED')
      .reverse();
    for (const row of queued) {
      const datasets = this.agreed(row);
      if (!datasets) continue;
      try {
        await this.begin(row, datasets);
        return;
      } catch (error) {
        if (!isRegulonError(error) || error.code === 'E_INTERNAL') throw error;
        this.endUnstarted(row, error.code, error.message);
      }
    }
  }

  /** The datasets of all sites, once every steward has approved; null before. */
  private agreed(row: RunTable): SiteDataset[] | null {
    const plan = JSON.parse(row.plan) as Plan;
    const approvals = this.on.runs.approvals(new Uint8Array(row.run_id));
    const committed = this.on.runs.datasets(plan.dataset.name);
    const datasets: SiteDataset[] = [];
    for (const name of plan.sites) {
      const site = this.on.roster.members.find((m) => m.name === name)?.id ?? -1;
      const dataset = committed.get(site);
      if (!approvals.has(site) || !dataset) return null;
      datasets.push({ site, name, dataset });
    }
    return datasets;
  }

  private async begin(row: RunTable, datasets: readonly SiteDataset[]): Promise<void> {
    const { services, runs, sequencer, roster } = this.on;
    const runId = new Uint8Array(row.run_id);
    const plan: unknown = JSON.parse(row.plan);
    const panel = panelOf(parsePlan(plan), datasets);
    const isPublic = datasets.every((d) => d.dataset.is_public === 1);
    const contract = contractOf({ runId, plan, roster, panel, isPublic });
    const program = new RunProgram(contract);
    const approvals = [...runs.approvals(runId).values()].sort((a, b) => a - b);
    const policies = runs.policies();
    const sites = datasets.map((d) => d.site).sort((a, b) => a - b);
    const now = services.clock.now();
    services.store.transaction(() => {
      const { index } = services.log.appendOwn({
        kind: 'run.start',
        run: runName(runId),
        body: startBody(contract, row, approvals, sites),
      });
      const indexes = [
        ...sites.flatMap((site) => policies.get(site) ?? []),
        ...datasets.map((d) => d.dataset.entry_index),
        ...approvals,
        index,
      ];
      const document = documentOf(
        contract,
        [...new Set(indexes)].map((i) => sequencer.entry(i)),
      );
      runs.update(runId, { status: 'WAITING', since_ms: now, started_ms: now, document });
    });
    await services.log.publish();
    await this.removeOldSpools();
    this.on.onStart();
    const driver = this.driverFor(contract, program);
    this.drivers.set(runName(runId), driver);
    services.announce(sites, { type: 'run', run: runId, state: 'waiting' });
    this.eventsOf(runId).emit({ type: 'run', status: 'WAITING', since: now, reason: null });
    driver.start();
  }

  private driverFor(contract: RunContract, program: RunProgram): RunDriver {
    const { services, runs, presence, config } = this.on;
    const onEnd = (): void => {
      this.drivers.delete(runName(contract.runId));
      this.startQueued();
    };
    const events = this.eventsOf(contract.runId);
    const keepAggregates = config.retention.aggregates === 'keep';
    return new RunDriver({
      services,
      context: this.contextOf(program),
      runs,
      presence,
      events,
      keepAggregates,
      onEnd,
    });
  }

  private contextOf(program: RunProgram): RunContext {
    const { contract } = program;
    const datasets = this.on.runs.datasets(contract.plan.dataset.name);
    const isPublic = (id: number): boolean => datasets.get(id)?.is_public === 1;
    return {
      program,
      roster: this.on.rosterView,
      uncounted: contract.isPublic ? [] : contract.sites.map((s) => s.id).filter(isPublic),
      strict: true,
      config: this.on.config.rounds,
      keepSpools: this.on.config.retention.spools === 'keep',
      unitsAtLeast: (sites) =>
        sites.reduce((sum, id) => sum + (lowestOfBand[datasets.get(id)?.band ?? '<20'] ?? 0), 0),
    };
  }

  /** Masked vectors of the last round of earlier runs were kept for spot audits until now. */
  private async removeOldSpools(): Promise<void> {
    const { services, config } = this.on;
    if (config.retention.spools === 'keep') return;
    for (const key of services.uploads.attempts()) {
      services.uploads.forget(key);
      await services.spool.removeAttempt(key);
    }
  }

  /** A run that never began: nothing was asked of the sites. */
  private endUnstarted(row: RunTable, code: string, message: string): void {
    const { services, runs } = this.on;
    const runId = new Uint8Array(row.run_id);
    const now = services.clock.now();
    services.store.transaction(() => {
      services.log.appendOwn({
        kind: 'run.finish',
        run: runName(runId),
        body: {
          status: 'ABORTED',
          reason: code,
          finalModel: null,
          models: [],
          rounds: 0,
          coverage: { sites: 0, band: '<20' },
        },
      });
      runs.update(runId, {
        status: 'ABORTED',
        since_ms: now,
        finished_ms: now,
        reason: JSON.stringify({ code, message }),
      });
    });
    this.eventsOf(runId).emit({ type: 'run', status: 'ABORTED', since: now, reason: { code, message } });
    this.eventsOf(runId).emit({ type: 'end', status: 'ABORTED' });
    services.logger.warn({ run: runName(runId), code }, message);
  }
}

function startBody(
  contract: RunContract,
  row: RunTable,
  approvals: number[],
  sites: number[],
): BodyOf<'run.start'> {
  return {
    planHash: digestText(contract.planHash),
    proposal: row.propose_index,
    approvals,
    sites,
    initialModel: null,
    featureSpecification: null,
    public: contract.isPublic,
  };
}
