import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { BackendChoice } from '@regulon/client/training';
import { parsePlan } from '@regulon/shared/plan';
import { backendOption } from '../arguments/index.js';
import { quoted } from '../completion/index.js';
import type { CommandResult, Output } from '../output/index.js';
import { readPlanFile } from '../plan-file/index.js';
import {
  detectLayout,
  exampleFile,
  interrupted,
  interruption,
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
  readonly backend: BackendChoice;
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
    .addOption(backendOption());
  handles<UpOptions>(up, context, (_, options, output) => bringUp(options, output), 'files');
}

/** Open a federation, print what a researcher's shell needs, and serve until Ctrl-C. */
async function bringUp(options: UpOptions, output: Output): Promise<CommandResult> {
  verifyCompiled();
  const { backend, folder, keep } = options;
  const layout = options.data === undefined ? null : detectLayout(options.data);
  const plan = readPlanFile(options.plan ?? exampleFile(layout?.plan ?? 'brca3-cnn.sim.yaml'));
  // before anything is started: a process in a group of its own would outlive us
  const signal = interruption();
  const root = folder === undefined ? mkdtempSync(join(tmpdir(), 'regulon-sim-')) : resolve(folder);
  try {
    const say = (text: string): void => output.progress(text);
    const { federation } = await openFederation({ root, plan, layout, backend, say });
    const settings = environmentOf(federation);
    const exports = Object.entries(settings).map(([name, value]) => `export ${name}=${quoted(value)}`);
    output.event(settings, exports.join('\n'));
    // the one JSON object comes at the end, when nobody needs the settings any more
    if (output.format === 'json') output.progress(exports.join('\n'));
    output.progress('running; Ctrl-C stops everything');
    await serve(federation, signal);
    return { data: settings, rows: [], lines: [] };
  } catch (error) {
    // Ctrl-C reaches the children that answer one question, too: what they then say is no defect
    if (!signal.aborted) throw error;
    output.progress('interrupted: everything that was started is stopped');
    return { data: null, rows: [], lines: [] };
  } finally {
    if (folder === undefined && !keep) rmSync(root, { recursive: true, force: true });
  }
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
async function serve(federation: SimFederation, signal: AbortSignal): Promise<void> {
  const approved = new Set<string>();
  const failed = new Promise<never>((_, reject) => federation.supervisor.onFailure(reject));
  let stopped = false;
  const approve = async (): Promise<void> => {
    while (!stopped) {
      await approveQueued(federation, approved);
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  };
  try {
    await Promise.race([interrupted(signal), failed, approve()]);
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
