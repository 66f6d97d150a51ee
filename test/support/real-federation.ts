import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import {
  exampleFile,
  filesOf,
  freePorts,
  programs,
  SimFederation,
  simulatedLayout,
  type SiteFiles,
} from '@regulon/cli/sim';
import type { RunDocument } from '@regulon/coordinator/runs';
import { parsePlan, type Plan } from '@regulon/shared/plan';

/** Whether the programs that real processes run have been compiled. */
export const compiled = Object.values(programs).every((path) => existsSync(path));

const FINAL = ['COMPLETED', 'COMPLETED_PARTIAL', 'ABORTED', 'FAILED'];

/** What the configuration files of the processes say besides the usual. */
export interface MoreConfiguration {
  readonly coordinator?: Readonly<Record<string, unknown>>;
  readonly site?: (name: string) => Readonly<Record<string, unknown>>;
  /** policy of every site; by default that of the public examples */
  readonly policyFile?: string;
  /** data files instead of simulated ones; they are declared public */
  readonly files?: readonly SiteFiles[];
  /** simulated data are declared neither public nor simulated: the rules for data of patients hold */
  readonly isClosed?: boolean;
  /** changes the data files before the daemons read them */
  readonly data?: (files: { name: string; counts: string }) => void;
  /** hears where the coordinator will listen before anything starts */
  readonly addresses?: (at: { controlPort: number; bulkPort: number }) => Promise<void>;
}

/** Terms of data of patients, and what a plan over them declares. */
export const GENERAL_RESEARCH = ['DUO:0000042'];

/** A federation of real processes for a test, on simulated data. */
export async function openRealFederation(
  root: string,
  planText: unknown,
  more: MoreConfiguration = {},
): Promise<{ federation: SimFederation; plan: Plan }> {
  const plan = parsePlan(planText);
  const layout = more.files
    ? { plan: plan.name, sites: more.files, simulated: false }
    : simulatedLayout(plan, join(root, 'data'), plan.seed);
  layout.sites.forEach((files) => more.data?.(files));
  const [controlPort = 0, bulkPort = 0, httpPort = 0] = await freePorts(3);
  await more.addresses?.({ controlPort, bulkPort });
  const { gamma, nMin } = plan.secureAggregation;
  const federation = await SimFederation.start(
    {
      root,
      federationId: 'fed_test',
      policy: { nMin, gamma },
      addresses: { host: '127.0.0.1', controlPort, bulkPort, httpPort },
      ...(more.coordinator ? { coordinator: more.coordinator } : {}),
      sites: filesOf(plan, layout).map(({ name, ...data }) => ({
        name,
        org: name,
        policyFile: more.policyFile ?? exampleFile('site-policy.public.yaml'),
        training: { backend: 'wasm' as const },
        dataset: {
          ...{ ...plan.dataset, ...data },
          ...{ public: !layout.simulated, simulated: layout.simulated && !more.isClosed },
          ...(more.isClosed ? { dataUse: GENERAL_RESEARCH } : {}),
        },
        ...(more.site ? { more: more.site(name) } : {}),
      })),
    },
    () => undefined,
  );
  return { federation, plan };
}

/** Propose, approve and wait for the end; the coordinator may be away meanwhile. */
export async function runToItsEnd(
  federation: SimFederation,
  plan: Plan,
  meanwhile: () => Promise<void> = async () => undefined,
): Promise<RunDocument> {
  const run = await federation.propose(plan);
  await federation.approve(run, plan);
  for (;;) {
    await meanwhile();
    const document = await federation.api.run(run).catch(() => null);
    if (document && FINAL.includes(document.status)) return document;
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Start a process of the federation again, with another crash point. */
export async function restart(
  federation: SimFederation,
  name: string,
  crashAt: string | undefined,
): Promise<void> {
  const site = federation.founded.sites.find((s) => s.name === name);
  const file = site?.config ?? federation.founded.coordinatorConfig;
  const config = parse(readFileSync(file, 'utf8')) as { testing?: Record<string, unknown> };
  const { crashAt: _before, ...testing } = config.testing ?? {};
  writeFileSync(
    file,
    stringify({ ...config, testing: { ...testing, ...(crashAt === undefined ? {} : { crashAt }) } }),
  );
  const args = site ? ['run', '--config', file] : ['--config', file];
  await federation.supervisor.start(name, site ? programs.daemon : programs.coordinator, args);
}
