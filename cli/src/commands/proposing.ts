import type { Command } from 'commander';
import { RegulonError } from '@regulon/shared/errors';
import type { Plan } from '@regulon/shared/plan';
import { chainIn } from '../enrolment/index.js';
import { proposalFile, readProvenance } from '../proposals/index.js';
import { type Proposal, proposal } from '../sim/index.js';
import type { ConnectionOptions } from './connection.js';
import type { Context } from './context.js';

/** Options of commands that propose plans. */
export interface ProposeOptions extends ConnectionOptions {
  readonly key?: string;
  readonly as: string;
  readonly yes: boolean;
  readonly dryRun: boolean;
}

/** The options themselves. */
export const proposes = (command: Command): Command =>
  command
    .option('--key <file>', "the researcher's key, mode 0600 (REGULON_KEY_FILE)")
    .option('--as <id>', 'id of the researcher in the federation', 'researcher-1')
    .option('--dry-run', 'check everything, send nothing', false)
    .option('--yes', 'do not ask', false);

/** Options of commands that propose plans for software which somebody else built. */
export interface ProvenanceOptions extends ProposeOptions {
  readonly provenance?: string;
}

/** The options of a proposal, with who built what runs. */
export const proposesWithProvenance = (command: Command): Command =>
  proposes(command).option(
    '--provenance <file>',
    'file that says who built the software: an in-toto statement with SLSA provenance, or its envelope',
  );

/** What a proposal says of who built what runs. @throws E_ARGUMENT when the file says nothing of this software */
export const provenanceIn = ({ provenance }: ProvenanceOptions): Proposal['body']['provenance'] =>
  provenance === undefined ? null : readProvenance(provenance);

/** @throws E_PLAN when a site of the plan is no member */
export function proposalFor(
  plan: Plan,
  federation: { id: string; folder: string },
  provenance: Proposal['body']['provenance'],
): Proposal {
  const { roster } = chainIn(federation.folder).last;
  const ids = plan.sites.map((name) => {
    const member = roster.members.find((m) => m.name === name);
    if (member) return member.id;
    throw new RegulonError('E_PLAN', `plan: sites: ${name} is not a member of ${federation.id}`);
  });
  return proposal(plan, ids, provenance);
}

/** @throws E_ARGUMENT without a key */
export function keyFileOf(options: ProposeOptions, context: Context): string {
  const key = options.key ?? context.env['REGULON_KEY_FILE'];
  if (key !== undefined) return key;
  throw new RegulonError('E_ARGUMENT', '--key is missing', {
    hint: 'name your key file, or set REGULON_KEY_FILE',
  });
}

/** Where this machine keeps the proposal of an idempotency key; null without one. */
export function placeOf(
  idempotencyKey: string | undefined,
  { as }: ProposeOptions,
  context: Context,
  origin: string,
): string | null {
  if (idempotencyKey === undefined) return null;
  return proposalFile({ idempotencyKey, origin, actor: as }, context.env);
}
