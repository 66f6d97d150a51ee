import type { LogEntry } from '../entries/schema.js';
import { isConsent, Withdrawals } from '../entries/withdrawals.js';
import type { ApprovedRun } from './approval-rows.js';
import type { VerifyContext } from './context.js';
import type { RunView } from './run-view.js';

/** A run, and what it was approved as. */
export type JudgedRun = readonly [RunView, ApprovedRun | undefined];

/**
 * Rows X1 and A2: no run starts, no round is opened and no model is released over a dataset that its steward has withdrawn,
 * and no run under a plan whose approval a steward has taken back.
 *
 * @returns the models that contain withdrawn data, as a person reads them
 */
export function checkWithdrawals(context: VerifyContext, runs: readonly JudgedRun[]): string[] {
  const { log, findings } = context;
  const withdrawals = new Withdrawals();
  const steps = new Map(runs.flatMap((judged) => stepsOf(judged).map((index) => [index, judged] as const)));
  for (const { entry, index } of log.entries) {
    const judged = steps.get(index);
    for (const [site, dataset] of judged ? usesOf(judged) : []) {
      if (withdrawals.isWithdrawn(site, dataset))
        findings.fail(
          'X1',
          `${judged?.[0].run} uses dataset ${dataset} of ${site}, which was withdrawn`,
          index,
        );
      const start = judged?.[0].start;
      if (start === undefined || isRelease(entry)) continue;
      const refusal = withdrawals.refusalOf(site, start.entry.body.planHash);
      if (refusal)
        findings.fail('A2', `the steward of ${site} had ${refusal} the plan of ${start.entry.run}`, index);
    }
    if (isConsent(entry)) withdrawals.take(entry);
  }
  return runs.flatMap((judged) => containing(judged, withdrawals));
}

const stepsOf = ([{ start, opens, releases, exports }]: JudgedRun): number[] =>
  [start, ...opens, ...releases, ...exports].flatMap((step) => step?.index ?? []);

/** A model that stands may leave although a steward wants no further run of its plan. */
const isRelease = ({ kind }: LogEntry): boolean => kind === 'model.release' || kind === 'model.export';

/** Site and dataset of everything that a run uses. */
const usesOf = ([, approved]: JudgedRun): [string, string][] =>
  [...(approved?.datasets.values() ?? [])].map(({ entry }) => [entry.actor.id, entry.body.dataset]);

function containing(judged: JudgedRun, withdrawals: Withdrawals): string[] {
  const [{ run, finish, aggregates, releases }] = judged;
  const model = finish?.entry.body.finalModel ?? aggregates.at(-1)?.entry.body.modelOut;
  const gone = usesOf(judged).filter(([site, dataset]) => withdrawals.isWithdrawn(site, dataset));
  if (model === undefined || gone.length === 0) return [];
  const parts = gone.map(([site, dataset]) => `${dataset} of ${site}`).join(', ');
  const released = releases.map(({ entry, index }) => `${entry.body.model} was released by entry ${index}`);
  return [[`${model} of ${run} contains ${parts}`, ...released].join('; ')];
}
