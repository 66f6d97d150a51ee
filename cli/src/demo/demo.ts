import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RunDocument } from '@regulon/coordinator/runs';
import { RegulonError } from '@regulon/shared/errors';
import type { Plan } from '@regulon/shared/plan';
import { writeWhole } from '../files/index.js';
import { outlineOf } from '../plan-file/index.js';
import { reportPage, shownPreparations } from '../run-report/index.js';
import {
  followRun,
  openFederation,
  runReferenceProcess,
  type ReferenceReport,
  runFailure,
  type SimFederation,
  verifyCompiled,
} from '../sim/index.js';
import type { BoardView } from './board-view.js';
import { chooseDemo } from './choose.js';
import { type Evidence, exportAndVerify } from './evidence.js';
import { boardEventsOf } from './events.js';
import type { DemoOptions } from './options.js';
import type { DemoOutcome } from './outcome.js';

/**
 * One real run on this machine, from the ceremony to the verified log.
 *
 * Everything it starts is stopped and everything it writes removed (unless `keep`), whatever happens; of a failed
 * run the logs stay.
 *
 * @param interrupted aborted by Ctrl-C
 */
export async function runDemo(
  options: DemoOptions,
  view: BoardView,
  interrupted: AbortSignal,
): Promise<DemoOutcome> {
  const started = Date.now();
  verifyTarget('--export-bundle', options.exportBundle);
  verifyTarget('--report', options.report);
  verifyCompiled();
  const { plan, layout } = chooseDemo(options);
  const root = mkdtempSync(join(tmpdir(), 'regulon-demo-'));
  let kept = options.keep;
  try {
    const say = (text: string): void => view.say(text);
    const { federation, files } = await openFederation({ root, plan, layout, backend: options.backend, say });
    try {
      const run = await underInterrupt(takeRun(federation, plan, view, interrupted), interrupted);
      if (options.report !== undefined)
        writeWhole(options.report, reportPage(run, await shownPreparations(federation.api, run)));
      const evidence = await exportAndVerify(federation, root, options.exportBundle);
      await federation.stop();
      view.say('reference process: pooled and lone models (it sees all data; no site or coordinator does)');
      const reference = await underInterrupt(
        runReferenceProcess(root, plan, files, options.backend),
        interrupted,
      );
      return outcomeOf({
        plan,
        run,
        evidence,
        reference,
        federation,
        simulated: layout === null,
        options,
        root,
        started,
      });
    } finally {
      await federation.stop();
    }
  } catch (error) {
    if (!kept && error instanceof RegulonError && error.hint.includes(root)) kept = keepLogs(root, view);
    throw error;
  } finally {
    if (!kept) rmSync(root, { recursive: true, force: true });
  }
}

/** Of a run that failed its logs stay, and nothing else: no key, no data. @returns false when there are none */
function keepLogs(root: string, view: BoardView): boolean {
  const logs = join(root, 'logs');
  if (!existsSync(logs) || readdirSync(logs).length === 0) return false;
  for (const name of readdirSync(root).filter((entry) => entry !== 'logs')) {
    rmSync(join(root, name), { recursive: true, force: true });
  }
  view.say(`the logs of the processes are kept in ${logs}`);
  return true;
}

/** @throws E_ARGUMENT before any work when a file could not be written, or would be replaced */
function verifyTarget(option: string, path: string | undefined): void {
  if (path === undefined) return;
  if (existsSync(path)) {
    throw new RegulonError('E_ARGUMENT', `${option}: ${path} exists already`, {
      hint: 'choose another name',
    });
  }
  if (existsSync(resolve(path, '..'))) return;
  throw new RegulonError('E_ARGUMENT', `${option}: the folder of ${path} does not exist`, {
    hint: 'make it first',
  });
}

/** Propose, approve, and follow the run on the board. */
async function takeRun(
  federation: SimFederation,
  plan: Plan,
  view: BoardView,
  interrupted: AbortSignal,
): Promise<RunDocument> {
  const { api, founded, supervisor } = federation;
  const failed = new Promise<never>((_, reject) => supervisor.onFailure(reject));
  const run = await federation.propose(plan);
  view.say(`plan ${plan.name} proposed as ${run}; ${plan.sites.length} stewards approve`);
  await federation.approve(run, plan);
  const { arms, rounds } = outlineOf(plan);
  view.open(
    plan.name,
    run,
    rounds.reduce((sum, group) => sum + group.rounds, 0),
    plan.sites,
  );
  const names = {
    site: (id: number) => founded.sites.find((site) => site.id === id)?.name ?? String(id),
    arm: (index: number) => arms[index] ?? String(index),
  };
  const see = followRun(
    api,
    run,
    (event) => boardEventsOf(event, names).forEach((e) => view.apply(e)),
    interrupted,
  );
  await Promise.race([see, failed]);
  view.close();
  const final = await api.run(run);
  const failure = runFailure(final);
  if (failure)
    throw pointedAtLogs(
      failure,
      plan.sites.map((name) => supervisor.logFile(name)),
    );
  return final;
}

/** What went wrong at a site, the site tells only its own people: here they read its log. */
function pointedAtLogs(failure: RegulonError, logs: readonly string[]): RegulonError {
  const refused = [...failure.message.matchAll(/\bsite (\d+)/g)].flatMap(
    ([, id]) => logs[Number(id) - 1] ?? [],
  );
  if (refused.length === 0) return failure;
  return new RegulonError(failure.code, failure.message, {
    hint: `${failure.hint}; the reason stands in ${refused.join(', ')}`,
    cause: failure,
  });
}

/** @throws E_RUN_ABORTED as soon as Ctrl-C came */
async function underInterrupt<T>(work: Promise<T>, interrupted: AbortSignal): Promise<T> {
  const stop = new Promise<never>((_, reject) => {
    const refuse = (): void =>
      reject(
        new RegulonError('E_RUN_ABORTED', 'interrupted', { hint: 'start it again; nothing was left behind' }),
      );
    if (interrupted.aborted) refuse();
    interrupted.addEventListener('abort', refuse, { once: true });
  });
  return Promise.race([work, stop]);
}

function outcomeOf(parts: {
  plan: Plan;
  run: RunDocument;
  evidence: Evidence;
  reference: ReferenceReport;
  federation: SimFederation;
  simulated: boolean;
  options: DemoOptions;
  root: string;
  started: number;
}): DemoOutcome {
  const { plan, run, evidence, reference, federation, options, root } = parts;
  return {
    plan,
    run: run.run,
    status: run.status,
    coverage: run.coverage?.text ?? 'no round closed',
    simulated: parts.simulated,
    rounds: run.rounds.map((facts) => ({ ...facts, survivors: facts.survivors.length })),
    stepWords: Object.fromEntries(outlineOf(plan).leaves.map(({ step, object }) => [step, object])),
    result: run.result,
    reference,
    modelDigest: run.modelDigest,
    log: evidence.log,
    gateMode: evidence.gateMode,
    eventLoopMaxMs: run.eventLoopMaxMs,
    memory: federation.supervisor.memory.report(),
    seconds: (Date.now() - parts.started) / 1000,
    files: [...evidence.files, ...(options.keep ? [`${root}: the federation's folder (keys included)`] : [])],
  };
}
