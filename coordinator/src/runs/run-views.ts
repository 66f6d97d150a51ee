import { createReadStream, type ReadStream } from 'node:fs';
import { RegulonError } from '@regulon/shared/errors';
import { encodeSpecification } from '@regulon/shared/genomics';
import type { Plan, Roster } from '@regulon/shared/plan';
import { RunProgram, runName } from '@regulon/shared/program';
import { digestText } from '@regulon/shared/transparency';
import type { Sequencer } from '../audit/index.js';
import type { RoundFacts, Services } from '../rounds/index.js';
import type { Presence } from '../sites/index.js';
import { type BlobTable, finalStatuses, type RunRows, type RunTable } from '../storage/index.js';
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

/** What people see: runs, sites, models. Reads only. */
export class RunViews {
  constructor(private readonly on: ViewContext) {}

  list(): RunList {
    return { runs: this.on.rows.list().map((row) => this.summary(row)) };
  }

  /** @throws E_NOT_FOUND */
  run(name: string): RunDocument {
    const row = this.on.runs.row(name);
    const plan = JSON.parse(row.plan) as Plan;
    const outcome = row.result === null ? null : (JSON.parse(row.result) as RunOutcome);
    const driver = this.on.runs.driverOf(new Uint8Array(row.run_id));
    const program = driver?.context.program ?? null;
    const outcomes = this.on.services.rounds.outcomes(row.run_id);
    const models = outcome?.models ?? [];
    const first = program?.model(0) ?? null;
    const { size, root } = this.on.sequencer.latest();
    const { sites: _sites, rounds: _rounds, ...summary } = this.summary(row);
    return {
      schema: 'regulon.run/1',
      ...summary,
      title: plan.title,
      plan,
      planHash: hexText(row.plan_hash),
      started: row.started_ms,
      finished: row.finished_ms,
      isPublic: row.document
        ? contractOfDocument(new Uint8Array(row.document), this.on.roster).isPublic
        : null,
      sites: this.sitesOf(row, plan),
      schedule: this.schedule(row),
      now: this.now(row),
      rounds: outcomes.map((o) => JSON.parse(o.facts) as RoundFacts),
      coverage: outcome?.coverage ?? (program ? coverageOf(program, outcomes) : null),
      curve: outcome?.curve ?? program?.curve ?? [],
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
  isOver(status: string): boolean {
    return finalStatuses.includes(status as RunStatusText);
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
    const contract = contractOfDocument(new Uint8Array(document), this.on.roster);
    const live = this.on.runs.driverOf(contract.runId)?.context.program;
    const program = live ?? (await restoreProgram(this.on.services, contract));
    const isExpression = contract.plan.dataset.kind === 'expression';
    const specification = isExpression ? encodeSpecification(program.specification(row.arm)) : null;
    return {
      schema: 'regulon.model/1',
      digest: hexText(row.digest),
      run: runName(contract.runId),
      arm: row.arm,
      declaration: contract.plan.model,
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

  private modelRow(digest: string): BlobTable {
    const text = digest.replace(/^sha256:/, '');
    const row = /^[0-9a-f]{64}$/.test(text)
      ? this.on.services.rounds.blobByPrefix(Buffer.from(text, 'hex'))
      : undefined;
    if (row?.kind !== 'model') throw new RegulonError('E_NOT_FOUND', 'there is no model of this digest');
    return row;
  }

  private summary(row: RunTable): RunSummary {
    const plan = JSON.parse(row.plan) as Plan;
    const schedule = this.schedule(row);
    return {
      run: runName(row.run_id),
      name: row.name,
      status: row.status as RunStatusText,
      since: row.since_ms,
      created: row.created_ms,
      sites: plan.sites.length,
      rounds: { closed: this.on.services.rounds.outcomes(row.run_id).length, of: schedule?.rounds ?? 0 },
      reason: row.reason === null ? null : (JSON.parse(row.reason) as { code: string; message: string }),
    };
  }

  private sitesOf(row: RunTable, plan: Plan): SiteInRun[] {
    const approvals = this.on.rows.approvals(row.run_id);
    const datasets = this.on.rows.datasets(plan.dataset.name);
    return plan.sites.map((name) => {
      const id = this.on.roster.members.find((m) => m.name === name)?.id ?? 0;
      const dataset = datasets.get(id);
      return {
        id,
        name,
        connected: this.on.presence.isConnected(id),
        since: this.on.presence.sinceOf(id),
        approved: approvals.has(id),
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

  private schedule(row: RunTable): RunDocument['schedule'] {
    if (!row.document) return null;
    const live = this.on.runs.driverOf(new Uint8Array(row.run_id))?.context.program;
    const program = live ?? new RunProgram(contractOfDocument(new Uint8Array(row.document), this.on.roster));
    return {
      rounds: program.schedule.length,
      arms: program.arms.map(({ index, label }) => ({ arm: index, label })),
    };
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
      purpose: (['train', 'statistics', 'evaluation'] as const)[purpose],
      step: stepId,
      arm,
      stage: phase,
      since: isWaiting ? view.waitingSince : view.pausedSince,
      waitingFor: isWaiting
        ? round.sites.filter((id) => !view.connected.includes(id))
        : round.sites.filter((id) => !view.answered.includes(id)),
    };
  }
}
