import { createReadStream, type ReadStream } from 'node:fs';
import { RegulonError } from '@regulon/shared/errors';
import { encodeSpecification } from '@regulon/shared/genomics';
import { isPrepared, type Plan, type Roster } from '@regulon/shared/plan';
import { type RunContract, RunProgram, runName } from '@regulon/shared/program';
import { digestText } from '@regulon/shared/transparency';
import type { Sequencer } from '../audit/index.js';
import { purposeName, type RoundFacts, type Services } from '../rounds/index.js';
import type { Presence } from '../sites/index.js';
import {
  type BlobTable,
  isFinal,
  type RunRows,
  type RunSummaryRow,
  type RunTable,
} from '../storage/index.js';
import { refusalsOf } from './consent.js';
import { contractOfDocument } from './contract.js';
import type {
  ModelSpecification,
  RunDocument,
  RunList,
  RunStatusText,
  RunSummary,
  SiteInRun,
  SiteList,
} from './documents.js';
import { restoreProgram } from './restore-program.js';
import { coverageOf, type RunOutcome } from './run-outcome.js';
import type { RunsService } from './runs.service.js';

/** What views are made from. */
export interface ViewContext {
  readonly services: Services;
  readonly runs: RunsService;
  readonly rows: RunRows;
  readonly presence: Presence;
  readonly sequencer: Sequencer;
  readonly roster: Roster;
  readonly eventLoopMaxMs: () => number;
}

const hexText = (digest: Uint8Array): string => digestText(new Uint8Array(digest));
const reasonOf = (row: Pick<RunTable, 'reason'>): RunSummary['reason'] =>
  row.reason === null ? null : (JSON.parse(row.reason) as { code: string; message: string });

/** What people see: runs, sites, models. Reads only. */
export class RunViews {
  constructor(private readonly on: ViewContext) {}

  list(): RunList {
    return { runs: this.on.rows.summaries().map((row) => this.summary(row)) };
  }

  /** @throws E_NOT_FOUND */
  run(name: string): RunDocument {
    const row = this.on.runs.row(name);
    const plan = JSON.parse(row.plan) as Plan;
    const outcome = row.result === null ? null : (JSON.parse(row.result) as RunOutcome);
    const live = this.programOf(row.run_id);
    const contract =
      row.document && contractOfDocument(new Uint8Array(row.document), this.rosterOf(row.run_id));
    const outcomes = this.on.services.rounds.outcomes(row.run_id);
    const models = outcome?.models ?? [];
    const first = live?.model(0) ?? null;
    const { size, root } = this.on.sequencer.latest();
    return {
      schema: 'regulon.run/1',
      run: runName(row.run_id),
      name: row.name,
      status: row.status,
      since: row.since_ms,
      created: row.created_ms,
      reason: reasonOf(row),
      title: plan.title,
      plan,
      planHash: hexText(row.plan_hash),
      started: row.started_ms,
      finished: row.finished_ms,
      isPublic: contract?.isPublic ?? null,
      sites: this.sitesOf(row, plan),
      schedule: contract && {
        ...scheduleOf(live ?? new RunProgram(contract)),
        // early stopping may have shortened it
        ...(outcome ? { rounds: outcome.coverage.rounds } : {}),
      },
      now: this.now(row),
      rounds: outcomes.map((o) => JSON.parse(o.facts) as RoundFacts),
      coverage: outcome?.coverage ?? (live ? coverageOf(live, outcomes) : null),
      curve: outcome?.curve ?? live?.curve ?? [],
      // what an older version stored has none
      validation: outcome?.validation ?? live?.validation.points ?? [],
      result: outcome?.result ?? null,
      modelDigest: models.find((m) => m.arm === 0)?.digest ?? (first ? hexText(first) : null),
      models,
      log: { size, root: hexText(root) },
      eventLoopMaxMs: this.on.eventLoopMaxMs(),
    };
  }

  sites(): SiteList {
    const policies = this.on.rows.policies();
    const datasets = this.on.rows.allDatasets();
    return {
      sites: this.on.roster.members.map(({ id, name, org }) => ({
        id,
        name,
        org,
        connected: this.on.presence.isConnected(id),
        since: this.on.presence.sinceOf(id),
        datasets: datasets.filter((d) => d.site === id).map((d) => d.name),
        policy: policies.has(id),
      })),
    };
  }

  /** Whether a status is an end. */
  isOver(status: RunStatusText): boolean {
    return isFinal(status);
  }

  /** @param digest hexadecimal, with or without `sha256:` @throws E_NOT_FOUND */
  model(digest: string): { size: number; stream: () => ReadStream } {
    const row = this.modelRow(digest);
    return { size: row.size, stream: () => createReadStream(this.on.services.blobs.pathOf(row.digest)) };
  }

  /** @throws E_NOT_FOUND */
  async modelSpecification(digest: string): Promise<ModelSpecification> {
    const row = this.modelRow(digest);
    const document = this.on.rows.get(row.run_id)?.document;
    if (!document || row.arm === null)
      throw new RegulonError('E_NOT_FOUND', `no description of the model ${digest}`);
    const contract = contractOfDocument(new Uint8Array(document), this.rosterOf(row.run_id));
    const program = this.programOf(contract.runId) ?? (await this.restored(contract));
    const hasFeatures = isPrepared(contract.plan.dataset.kind);
    const specification = hasFeatures ? encodeSpecification(program.specification(row.arm)) : null;
    return {
      schema: 'regulon.model/1',
      digest: hexText(row.digest),
      run: runName(contract.runId),
      arm: row.arm,
      declaration: contract.plan.model,
      plan: contract.plan,
      dtype: 'float32',
      byteOrder: 'little',
      bytes: row.size,
      weights: program
        .weightSpecs(row.arm)
        .map(({ name, shape, offset, size }) => ({ name, shape, offset, size })),
      featureSpecification: specification && Buffer.from(specification).toString('base64'),
      panelDigest: hexText(contract.panel.digest),
    };
  }

  /** @throws E_NOT_FOUND when the sums of the run were removed at its end, as the configuration may say */
  private restored(contract: RunContract): Promise<RunProgram> {
    const { services } = this.on;
    const outcomes = services.rounds.outcomes(contract.runId);
    if (outcomes.every((o) => services.blobs.has(o.aggregate_root)))
      return restoreProgram(services, contract);
    const what = `the sums of ${runName(contract.runId)} are no longer kept: its models cannot be described`;
    throw new RegulonError('E_NOT_FOUND', what, { hint: 'retention: aggregates: keep, for the next run' });
  }

  private modelRow(digest: string): BlobTable {
    const text = digest.replace(/^sha256:/, '');
    const row = /^[0-9a-f]{64}$/.test(text)
      ? this.on.services.rounds.blobByPrefix(Buffer.from(text, 'hex'))
      : undefined;
    if (row?.kind !== 'model') throw new RegulonError('E_NOT_FOUND', 'there is no model of this digest');
    return row;
  }

  /** The program of a run under way. */
  private programOf(runId: Uint8Array): RunProgram | null {
    return this.on.runs.driverOf(runId)?.context.program ?? null;
  }

  /** One line of the list; nothing is rebuilt for it, a coordinator has hundreds of ended runs. */
  private summary(row: RunSummaryRow): RunSummary {
    const live = this.programOf(row.run_id);
    const closed = live ? this.on.services.rounds.countClosed(row.run_id) : (row.closed ?? 0);
    return {
      run: runName(row.run_id),
      name: row.name,
      status: row.status,
      since: row.since_ms,
      created: row.created_ms,
      sites: row.sites,
      rounds: { closed, of: live?.schedule.length ?? row.rounds ?? 0 },
      reason: reasonOf(row),
    };
  }

  /** The roster that a run began under; sites that have left since stand in it. */
  private rosterOf(runId: Uint8Array): Roster {
    const { sequencer, roster } = this.on;
    const start = this.startOf(runId);
    return start === undefined ? roster : sequencer.rosterAt(start);
  }

  /** Index of the entry with which a run began. */
  private startOf(runId: Uint8Array): number | undefined {
    return this.on.sequencer.indexesOf(runName(new Uint8Array(runId)), 'run.start')[0];
  }

  private sitesOf(row: RunTable, plan: Plan): SiteInRun[] {
    const approvals = this.on.rows.approvals(row.run_id);
    const datasets = this.on.rows.datasets(plan.dataset.name);
    const { members } = this.rosterOf(row.run_id);
    const refusals = refusalsOf(this.on.sequencer, row, this.startOf(row.run_id));
    return plan.sites.map((name) => {
      const id = members.find((m) => m.name === name)?.id ?? 0;
      const dataset = datasets.get(id);
      return {
        id,
        name,
        connected: this.on.presence.isConnected(id),
        since: this.on.presence.sinceOf(id),
        approved: approvals.has(id),
        refused: refusals.get(name)?.word ?? null,
        refusedAt: refusals.get(name)?.at ?? null,
        dataset: dataset
          ? {
              panel: hexText(dataset.panel_digest),
              size: dataset.panel_size,
              isPublic: dataset.is_public === 1,
            }
          : null,
      };
    });
  }

  private now(row: RunTable): RunDocument['now'] {
    const round = this.on.runs.driverOf(new Uint8Array(row.run_id))?.round;
    if (!round) return null;
    const { view, phase } = round;
    const { purpose, stepId, arm } = round.round;
    const isWaiting = phase === 'waiting';
    return {
      round: round.round.round,
      attempt: view.attempt,
      purpose: purposeName(purpose),
      step: stepId,
      arm,
      stage: phase,
      since: isWaiting || phase === 'burnt' ? view.waitingSince : view.pausedSince,
      waitingFor: isWaiting
        ? round.sites.filter((id) => !view.connected.includes(id))
        : round.sites.filter((id) => phase !== 'burnt' && !view.answered.includes(id)),
    };
  }
}

const scheduleOf = (program: RunProgram): NonNullable<RunDocument['schedule']> => ({
  rounds: program.schedule.length,
  arms: program.arms.map(({ index, label }) => ({ arm: index, label })),
});
