import type { Command } from 'commander';
import { type Plan, planHashOf } from '@regulon/shared/plan';
import { digestText } from '@regulon/shared/transparency';
import type { CommandResult } from '../output/index.js';
import { readPlanFile } from '../plan-file/index.js';
import { keptProposal, proposeOnce } from '../proposals/index.js';
import { Person } from '../enrolment/index.js';
import { apiFor, connects, federationFor } from './connection.js';
import { confirm, type Context, handles } from './context.js';
import {
  keyFileOf,
  placeOf,
  proposalFor,
  proposesWithProvenance,
  provenanceIn,
  type ProvenanceOptions,
} from './proposing.js';

interface SubmitOptions extends ProvenanceOptions {
  readonly idempotencyKey?: string;
}

/** `regulon run submit`: propose a plan under the researcher's key. */
export function submitCommand(run: Command, context: Context): void {
  const command = proposesWithProvenance(
    connects(
      run
        .command('submit')
        .description('propose a plan; its stewards decide')
        .argument('<plan>', 'plan file, YAML or JSON'),
    ),
  ).option('--idempotency-key <text>', 'repeating the command with this text proposes nothing twice');
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
  const proposed = proposalFor(plan, federation, provenanceIn(options));
  const planHash = digestText(planHashOf(plan));
  const place = placeOf(options.idempotencyKey, options, context, federation.origin);
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
