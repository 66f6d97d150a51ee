import type { Command } from 'commander';
import type { RunDocument, RunSummary } from '@regulon/coordinator/runs';
import { RegulonError } from '@regulon/shared/errors';
import { tableLines } from '../output/index.js';
import { isFinal } from '../sim/index.js';
import { apiFor, type ConnectionOptions, connects } from './connection.js';
import { confirm, type Context, handles } from './context.js';
import { reopenCommand } from './reopen.js';
import { resolveRun } from './resolve-run.js';
import { documentLines } from './run-lines.js';
import { reportCommand } from './run-report.js';
import { searchCommand } from './search.js';
import { submitCommand } from './submit.js';
import { watchRun } from './watch.js';

/** `regulon run …`: what a researcher does with runs. */
export function runCommands(program: Command, context: Context): void {
  const run = program.command('run').description('runs: submit, follow, search, report, stop, reopen');
  submitCommand(run, context);
  list(run, context);
  show(run, context);
  watch(run, context);
  searchCommand(run, context);
  stop(run, context);
  reopenCommand(run, context);
  reportCommand(run, context);
}

function list(run: Command, context: Context): void {
  const command = connects(run.command('list').description('every run of the coordinator'));
  handles<ConnectionOptions>(command, context, async (_, options) => {
    const runs = await apiFor(options, context).runs();
    return { data: { runs }, rows: runs, lines: listLines(runs) };
  });
}

function show(run: Command, context: Context): void {
  const command = connects(
    run.command('show').description('one run').argument('<run>', 'name, or a unique beginning'),
  );
  handles<ConnectionOptions>(command, context, async ([name = ''], options) => {
    const api = apiFor(options, context);
    const document = await api.run(await resolveRun(api, name));
    const partial = document.status === 'COMPLETED_PARTIAL';
    return { data: document, lines: documentLines(document), partial };
  });
}

function watch(run: Command, context: Context): void {
  const command = connects(
    run
      .command('watch')
      .description('follow a run; Ctrl-C detaches')
      .argument('<run>', 'name, or a unique beginning'),
  ).option('--allow-partial', 'exit 0 although some rounds missed a site', false);
  handles<ConnectionOptions & { allowPartial: boolean }>(
    command,
    context,
    async ([name = ''], options, output) => {
      const api = apiFor(options, context);
      const { allowPartial } = options;
      return watchRun(api, await resolveRun(api, name), output, { screen: context.screen, allowPartial });
    },
  );
}

function stop(run: Command, context: Context): void {
  const command = connects(
    run
      .command('stop')
      .description('end a run; its rounds stay in the log')
      .argument('<run>', 'name, or a unique beginning'),
  )
    .option('--dry-run', 'name the run, end nothing', false)
    .option('--yes', 'do not ask', false);
  handles<ConnectionOptions & { dryRun: boolean; yes: boolean }>(
    command,
    context,
    async ([name = ''], options) => {
      const api = apiFor(options, context);
      const id = await resolveRun(api, name);
      const before = await api.run(id);
      verifyUnderWay(before);
      if (options.dryRun) return { data: before, lines: [`would end ${id}`, ...documentLines(before)] };
      await confirm(context, options, `end ${id}?`);
      const document = await api.stop(id);
      return { data: document, lines: documentLines(document) };
    },
    'federation',
  );
}

/** @throws E_STATE when there is nothing left to end */
function verifyUnderWay({ run, status }: RunDocument): void {
  if (!isFinal(status)) return;
  throw new RegulonError('E_STATE', `${run} has ended already: ${status}`, {
    hint: `regulon run show ${run}`,
  });
}

function listLines(runs: readonly RunSummary[]): string[] {
  if (runs.length === 0) return ['no runs'];
  return tableLines(
    [
      { title: 'run', value: (r: RunSummary) => r.run.slice(0, 14) },
      { title: 'plan', value: (r) => r.name },
      { title: 'status', value: (r) => r.status },
      { title: 'rounds', value: (r) => `${r.rounds.closed} of ${r.rounds.of}`, right: true },
      { title: 'sites', value: (r) => r.sites, right: true },
      { title: 'since', value: (r) => new Date(r.since).toISOString() },
      { title: 'reason', value: (r) => r.reason?.code },
    ],
    runs,
  );
}
