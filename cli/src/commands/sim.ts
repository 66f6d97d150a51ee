import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { parsePlan } from '@regulon/shared/plan';
import { readPlanFile } from '../plan-file/index.js';
import {
  detectLayout,
  exampleFile,
  openFederation,
  type SimFederation,
  verifyCompiled,
} from '../sim/index.js';
import { type Context, handles } from './context.js';

const LOOK_MS = 500;

interface UpOptions {
  readonly data?: string;
  readonly plan?: string;
  readonly folder?: string;
  readonly keep: boolean;
  readonly backend: 'auto' | 'blas' | 'wasm';
}

/** `regulon sim …`: a federation on this machine. */
export function simCommands(program: Command, context: Context): void {
  const sim = program.command('sim').description('a federation of real processes on this machine');
  const up = sim
    .command('up')
    .description('coordinator and daemons until Ctrl-C; simulated stewards approve every plan')
    .option('--data <dir>', 'real data; default: simulated')
    .option('--plan <file>', 'plan whose sites and dataset are set up')
    .option('--folder <dir>', 'federation folder; default: a temporary one')
    .option('--keep', 'keep the temporary folder', false)
    .addOption(
      new Option('--backend <name>', 'training backend').choices(['auto', 'blas', 'wasm']).default('auto'),
    );
  handles<UpOptions>(up, context, 'sim.up', async (_, options, output) => {
    verifyCompiled();
    const layout = options.data === undefined ? null : detectLayout(options.data);
    const plan = readPlanFile(options.plan ?? exampleFile(layout?.plan ?? 'brca3-cnn.sim.yaml'));
    const root =
      options.folder === undefined ? mkdtempSync(join(tmpdir(), 'regulon-sim-')) : resolve(options.folder);
    try {
      const { federation } = await openFederation({
        root,
        plan,
        layout,
        backend: options.backend,
        say: (text) => output.note(text),
      });
      const settings = environmentOf(federation);
      output.event(
        settings,
        Object.entries(settings)
          .map(([name, value]) => `export ${name}=${value}`)
          .join('\n'),
      );
      output.note('running; Ctrl-C stops everything');
      await untilInterrupted(federation);
      return { data: settings, rows: [], lines: [] };
    } finally {
      if (options.folder === undefined && !options.keep) rmSync(root, { recursive: true, force: true });
    }
  });
}

/** What a researcher's shell needs to work with the federation. */
function environmentOf({ founded }: SimFederation): Record<string, string> {
  const { folder, addresses } = founded;
  return {
    REGULON_SERVER: `http://${addresses.host}:${addresses.httpPort}`,
    REGULON_FEDERATION: folder.federation,
    REGULON_TOKEN_FILE: join(folder.coordinator, 'token'),
    REGULON_KEY_FILE: join(folder.people, 'researcher-researcher-1.key'),
  };
}

/** Approve what is proposed until Ctrl-C, then stop every process. @throws when a process ends by itself */
async function untilInterrupted(federation: SimFederation): Promise<void> {
  const approved = new Set<string>();
  let stopped = false;
  const failed = new Promise<never>((_, reject) => federation.supervisor.onFailure(reject));
  const interrupted = new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => done());
  });
  const approve = async (): Promise<void> => {
    while (!stopped) {
      await approveQueued(federation, approved);
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  };
  try {
    await Promise.race([interrupted, failed, approve()]);
  } finally {
    stopped = true;
    await federation.stop();
  }
}

async function approveQueued(federation: SimFederation, approved: Set<string>): Promise<void> {
  const runs = await federation.api.runs();
  for (const { run } of runs.filter(({ run: name, status }) => status === 'QUEUED' && !approved.has(name))) {
    const { plan } = await federation.api.run(run);
    await federation.approve(run, parsePlan(plan));
    approved.add(run);
  }
}
