import { join } from 'node:path';
import type { Command } from 'commander';
import { RegulonError } from '@regulon/shared/errors';
import { type Plan, planHashOf, signedRosterSchema } from '@regulon/shared/plan';
import { digestText } from '@regulon/shared/transparency';
import { readJsonFile } from '../files/index.js';
import type { CommandResult } from '../output/index.js';
import { readPlanFile } from '../plan-file/index.js';
import { keptProposal, proposalFile, proposeOnce } from '../proposals/index.js';
import { Person } from '../enrolment/index.js';
import { type Proposal, proposal } from '../sim/index.js';
import { apiFor, type ConnectionOptions, connects, federationFor } from './connection.js';
import { confirm, type Context, handles } from './context.js';

interface SubmitOptions extends ConnectionOptions {
  readonly key?: string;
  readonly as: string;
  readonly idempotencyKey?: string;
  readonly yes: boolean;
  readonly dryRun: boolean;
}

/** `regulon run submit`: propose a plan under the researcher's key. */
export function submitCommand(run: Command, context: Context): void {
  const command = connects(
    run
      .command('submit')
      .description('propose a plan; its stewards decide')
      .argument('<plan>', 'plan file, YAML or JSON'),
  )
    .option('--key <file>', "the researcher's key, mode 0600 (REGULON_KEY_FILE)")
    .option('--as <id>', 'id of the researcher in the federation', 'researcher-1')
    .option('--idempotency-key <text>', 'repeating the command with this text proposes nothing twice')
    .option('--dry-run', 'check everything, send nothing', false)
    .option('--yes', 'do not ask', false);
  handles<SubmitOptions>(
    command,
    context,
    ([file = ''], options) => submitPlan(file, options, context),
    'federation',
  );
}

async function submitPlan(file: string, options: SubmitOptions, context: Context): Promise<CommandResult> {
  const plan = readPlanFile(file);
  const federation = federationFor(options, context);
  const proposed = proposalFor(plan, federation);
  const planHash = digestText(planHashOf(plan));
  const place = placeOf(options, context, federation.origin);
  if (options.dryRun)
    return {
      data: { planHash, run: null },
      lines: [`would propose ${plan.name}  ${planHash}`, ...adviceOn(plan)],
    };
  const person = Person.fromKeyFile(keyFileOf(options, context), 'researcher', options.as);
  const api = apiFor(options, context);
  const question = `propose ${plan.name} (${planHash}) to ${plan.sites.length} sites?`;
  // a repetition was confirmed the first time
  if (!keptProposal(place)) await confirm(context, options, question);
  const reply = await proposeOnce({ plan, proposal: proposed, person, federation, api, place });
  const what = reply.repeated ? 'was proposed before' : 'proposed; it starts when every steward has approved';
  return { data: { planHash, ...reply }, lines: [`${reply.run}  ${what}`, ...adviceOn(plan)] };
}

/** A classification that does not ask whether labels and batches coincide. */
function adviceOn({ task, dataset, prepare }: Plan): string[] {
  const asks = prepare.some(({ step }) => step === 'confounding');
  if (task !== 'classify' || dataset.kind === 'series' || asks) return [];
  return [
    'not asked: whether labels and batches coincide; begin prepare with { step: confounding } to know before training',
  ];
}

/** @throws E_PLAN when a site of the plan is no member */
function proposalFor(plan: Plan, federation: { id: string; folder: string }): Proposal {
  const { roster } = readJsonFile(join(federation.folder, 'roster.json'), signedRosterSchema, 'E_ROSTER');
  const ids = plan.sites.map((name) => {
    const member = roster.members.find((m) => m.name === name);
    if (member) return member.id;
    throw new RegulonError('E_PLAN', `plan: sites: ${name} is not a member of ${federation.id}`);
  });
  return proposal(plan, ids);
}

function keyFileOf(options: SubmitOptions, context: Context): string {
  const key = options.key ?? context.env['REGULON_KEY_FILE'];
  if (key !== undefined) return key;
  throw new RegulonError('E_ARGUMENT', '--key is missing', {
    hint: 'name your key file, or set REGULON_KEY_FILE',
  });
}

/** Where this machine keeps the proposal of an idempotency key; null without one. */
function placeOf(options: SubmitOptions, context: Context, origin: string): string | null {
  const { idempotencyKey, as } = options;
  if (idempotencyKey === undefined) return null;
  return proposalFile({ idempotencyKey, origin, actor: as }, context.env);
}
