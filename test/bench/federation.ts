import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  exampleFile,
  filesOf,
  followRun,
  freePorts,
  SimFederation,
  simulatedLayout,
  verifyCompiled,
  type DataLayout,
} from '@regulon/cli/sim';
import type { RunDocument } from '@regulon/coordinator/runs';
import { RegulonError } from '@regulon/shared/errors';
import { parsePlan, type Plan } from '@regulon/shared/plan';

/** One measured run of real processes on this machine. */
export interface MeasuredRun {
  readonly document: RunDocument;
  /** s from one close to the next, by round; the first round counts from the start of the run */
  readonly intervals: readonly {
    readonly round: number;
    readonly purpose: string;
    readonly seconds: number;
  }[];
  /** s from the start of the processes to the end of the run */
  readonly seconds: number;
  /** peak resident bytes: of each process tree, and of all together */
  readonly memory: { readonly byName: Readonly<Record<string, number>>; readonly together: number };
}

/**
 * Start a federation, run a plan to its end, stop everything.
 *
 * @param skipTraining every site returns the weights it got
 */
export async function measureRun(
  planText: unknown,
  options: { layout?: DataLayout; skipTraining?: boolean },
): Promise<MeasuredRun> {
  verifyCompiled();
  const plan = parsePlan(planText);
  const root = mkdtempSync(join(tmpdir(), 'regulon-bench-'));
  const layout = options.layout ?? simulatedLayout(plan, join(root, 'data'), 1);
  const started = performance.now();
  try {
    const federation = await start(root, plan, layout, options.skipTraining ?? false);
    try {
      const run = await federation.propose(plan);
      await federation.approve(run, plan);
      const closes: { at: number; round: number; purpose: string; seconds: number }[] = [];
      const status = await followRun(federation.api, run, (event) => {
        if (event.type === 'closed') closes.push({ at: event.at, ...event.facts });
      });
      const seconds = (performance.now() - started) / 1000;
      const document = await federation.api.run(run);
      if (status !== 'COMPLETED')
        throw new RegulonError(
          'E_RUN_ABORTED',
          `${run} ended as ${status}: ${document.reason?.message ?? ''}`,
        );
      const intervals = closes.map(({ at, round, purpose, seconds: own }, i) => {
        const before = closes[i - 1];
        return { round, purpose, seconds: before ? (at - before.at) / 1000 : own };
      });
      const memory = federation.supervisor.memory.report();
      await federation.stop();
      rmSync(root, { recursive: true, force: true });
      return { document, intervals, seconds, memory };
    } finally {
      await federation.stop();
    }
  } catch (error) {
    process.stderr.write(`the logs of the processes are kept in ${root}\n`);
    throw error;
  }
}

async function start(
  root: string,
  plan: Plan,
  layout: DataLayout,
  skipTraining: boolean,
): Promise<SimFederation> {
  const [controlPort = 0, bulkPort = 0, httpPort = 0] = await freePorts(3);
  const { gamma, nMin } = plan.secureAggregation;
  const testing = skipTraining ? { more: { allowTesting: true, testing: { skipTraining: true } } } : {};
  const sites = filesOf(plan, layout).map(({ name, ...data }) => ({
    name,
    org: name,
    policyFile: exampleFile('site-policy.public.yaml'),
    training: {},
    dataset: { ...plan.dataset, ...data, public: !layout.simulated, simulated: layout.simulated },
    ...testing,
  }));
  return SimFederation.start(
    {
      root,
      federationId: 'fed_bench',
      policy: { nMin, gamma },
      addresses: { host: '127.0.0.1', controlPort, bulkPort, httpPort },
      sites,
    },
    () => undefined,
  );
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
