import { join } from 'node:path';
import type { Command } from 'commander';
import type { RunSummary } from '@regulon/coordinator/runs';
import { RegulonError } from '@regulon/shared/errors';
import { planHashOf, signedRosterSchema } from '@regulon/shared/plan';
import { digestText } from '@regulon/shared/transparency';
import type { CoordinatorApi } from '../api-client/index.js';
import { readJsonFile } from '../files/index.js';
import { type CommandResult, tableLines } from '../output/index.js';
import { readPlanFile } from '../plan-file/index.js';
import { base64, Person, proposal, Signer } from '../sim/index.js';
import { apiFor, type ConnectionOptions, connects, federationFor } from './connection.js';
import { confirm, type Context, handles } from './context.js';
import { documentLines } from './run-lines.js';
import { watchRun } from './watch.js';

interface SubmitOptions extends ConnectionOptions {
  readonly key?: string;
  readonly as: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** `regulon run …`: what a researcher does with runs. */
export function runCommands(program: Command, context: Context): void {
  const run = program.command('run').description('runs: submit, follow, stop');
  submitCommand(run, context);
  const list = connects(run.command('list').description('every run of the coordinator'));
  handles<ConnectionOptions>(list, context, 'run.list', async (_, options) => {
    const runs = await apiFor(options, context).runs();
    return { data: { runs }, rows: runs, lines: listLines(runs) };
  });
  const show = connects(
    run.command('show').description('one run').argument('<run>', 'name, or a unique beginning'),
  );
  handles<ConnectionOptions>(show, context, 'run.show', async ([name = ''], options) => {
    const api = apiFor(options, context);
    const document = await api.run(await resolveRun(api, name));
    return {
      data: document,
      lines: documentLines(document),
      partial: document.status === 'COMPLETED_PARTIAL',
    };
  });
  const watch = connects(
    run.command('watch').description('follow a run; Ctrl-C detaches').argument('<run>'),
  ).option('--allow-partial', 'exit 0 although some rounds missed a site', false);
  handles<ConnectionOptions & { allowPartial: boolean }>(
    watch,
    context,
    'run.watch',
    async ([name = ''], options, output) => {
      const api = apiFor(options, context);
      return watchRun(api, await resolveRun(api, name), output, options.allowPartial);
    },
  );
  const stop = connects(
    run.command('stop').description('end a run; its rounds stay in the log').argument('<run>'),
  ).option('--yes', 'do not ask', false);
  handles<ConnectionOptions & { yes: boolean }>(stop, context, 'run.stop', async ([name = ''], options) => {
    const api = apiFor(options, context);
    const id = await resolveRun(api, name);
    await confirm(context, options, `end ${id}?`);
    const document = await api.stop(id);
    return { data: document, lines: documentLines(document) };
  });
}

function submitCommand(run: Command, context: Context): void {
  const submit = connects(
    run.command('submit').description('propose a plan; its stewards decide').argument('<plan>'),
  )
    .option('--key <file>', "the researcher's key, mode 0600 (REGULON_KEY_FILE)")
    .option('--as <id>', 'id of the researcher in the federation', 'researcher-1')
    .option('--dry-run', 'check everything, send nothing', false)
    .option('--yes', 'do not ask', false);
  handles<SubmitOptions>(submit, context, 'run.submit', async ([file = ''], options) =>
    submitPlan(file, options, context),
  );
}

async function submitPlan(file: string, options: SubmitOptions, context: Context): Promise<CommandResult> {
  const plan = readPlanFile(file);
  const federation = federationFor(options, context);
  const { roster } = readJsonFile(join(federation.folder, 'roster.json'), signedRosterSchema, 'E_ROSTER');
  const ids = plan.sites.map((name) => {
    const member = roster.members.find((m) => m.name === name);
    if (member) return member.id;
    throw new RegulonError('E_PLAN', `plan: sites: ${name} is not a member of ${federation.id}`);
  });
  const { body, attachments } = proposal(plan, ids);
  const planHash = digestText(planHashOf(plan));
  if (options.dryRun)
    return { data: { planHash, run: null }, lines: [`would propose ${plan.name}  ${planHash}`] };
  const key = options.key ?? context.env['REGULON_KEY_FILE'];
  if (key === undefined) {
    throw new RegulonError('E_ARGUMENT', '--key is missing', {
      hint: 'name your key file, or set REGULON_KEY_FILE',
    });
  }
  await confirm(context, options, `propose ${plan.name} (${planHash}) to ${plan.sites.length} sites?`);
  const api = apiFor(options, context);
  const signer = new Signer(Person.fromKeyFile(key, 'researcher', options.as), federation, api);
  const entry = await signer.seal({ kind: 'plan.propose', body });
  const reply = await api.propose({
    entry,
    plan,
    attachments: attachments.map(base64),
  });
  return {
    data: { planHash, ...reply },
    lines: [`${reply.run}  proposed; it starts when every steward has approved`],
  };
}

/** The run whose name begins so. @throws E_NOT_FOUND, or E_ARGUMENT when several do */
export async function resolveRun(api: CoordinatorApi, name: string): Promise<string> {
  if (/^run_[0-9a-f]{32}$/.test(name)) return name;
  const runs = await api.runs();
  const found = runs.filter(({ run }) => run.startsWith(name) || run.startsWith(`run_${name}`));
  if (found.length === 1 && found[0]) return found[0].run;
  if (found.length === 0)
    throw new RegulonError('E_NOT_FOUND', `no run begins with ${name}`, { hint: 'regulon run list' });
  throw new RegulonError('E_ARGUMENT', `${found.length} runs begin with ${name}`, {
    hint: 'write more of the name',
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
