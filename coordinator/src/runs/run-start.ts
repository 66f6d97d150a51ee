import { parsePlan, type Plan } from '@regulon/shared/plan';
import { contractOf, type RunContract, RunProgram, runName } from '@regulon/shared/program';
import { type BodyOf, digestText, parseEntry } from '@regulon/shared/transparency';
import type { RunTable } from '../storage/index.js';
import { documentOf, panelOf, type SiteDataset } from './contract.js';
import type { RunsContext } from './runs-context.js';

/** The datasets of all sites of a plan, in its order, once every steward has approved; null before. */
export function agreedDatasets({ runs, roster }: RunsContext, row: RunTable): SiteDataset[] | null {
  const plan = JSON.parse(row.plan) as Plan;
  const approvals = runs.approvals(row.run_id);
  const committed = runs.datasets(plan.dataset.name);
  const datasets: SiteDataset[] = [];
  for (const name of plan.sites) {
    const site = roster.members.find((m) => m.name === name)?.id ?? -1;
    const dataset = committed.get(site);
    if (!approvals.has(site) || !dataset) return null;
    datasets.push({ site, name, dataset });
  }
  return datasets;
}

/**
 * Fix what a run is carried out by: contract, row and log entry in one transaction.
 *
 * @param datasets of every site of the plan, as `agreedDatasets` gives them
 * @returns the program of the run, before its first round
 * @throws E_PANEL, E_PLAN, E_POLICY when the sites do not fit together; nothing is written
 */
export function writeStart(
  { services, runs, sequencer, roster }: RunsContext,
  row: RunTable,
  datasets: readonly SiteDataset[],
): RunProgram {
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
    const indexes = new Set([
      ...sites.flatMap((site) => policies.get(site) ?? []),
      ...datasets.map((d) => d.dataset.entry_index),
      ...approvals,
      ...overridesFor(sequencer, digestText(contract.planHash), new Set(datasets.map((d) => d.name))),
      index,
    ]);
    const entries = [...indexes].map((i) => sequencer.entry(i));
    const document = documentOf(contract, entries);
    runs.update(runId, { status: 'WAITING', since_ms: now, started_ms: now, document });
  });
  return program;
}

/** Where sites of a run except its plan from their policies. */
function overridesFor(
  sequencer: RunsContext['sequencer'],
  planHash: string,
  sites: ReadonlySet<string>,
): number[] {
  return sequencer.indexesOfKind('policy.override').filter((index) => {
    const entry = parseEntry(sequencer.entry(index));
    return entry.kind === 'policy.override' && entry.body.planHash === planHash && sites.has(entry.actor.id);
  });
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
