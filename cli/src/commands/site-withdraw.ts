import { type Command, Option } from 'commander';
import { RegulonError } from '@regulon/shared/errors';
import type { CommandResult } from '../output/index.js';
import {
  digestOfBody,
  type DueWithdrawal,
  refusePlan,
  type SiteLink,
  withdrawDataset,
  WITHDRAWAL_REASONS,
  withSite,
} from '../steward/index.js';
import { agree } from './agree.js';
import { type Context, handles } from './context.js';
import { bookOf, type StewardOptions, signs } from './stewarding.js';

interface WithdrawOptions extends StewardOptions {
  readonly reason: string;
  readonly dataset?: string;
  readonly scope: 'all' | 'commitment';
}

const reasonOption = (): Option =>
  new Option('--reason <reason>', 'stands in the log').choices(WITHDRAWAL_REASONS).makeOptionMandatory();

/** `regulon site reject|withdraw`: a steward says no, before a run or later. */
export function withdrawCommands(site: Command, context: Context): void {
  const reject = signs(
    site
      .command('reject')
      .description('refuse a plan, or take its approval back')
      .argument('<plan>', 'its name, or a beginning of its digest'),
  ).addOption(reasonOption());
  handles<WithdrawOptions>(
    reject,
    context,
    ([plan = ''], options) =>
      withSite(options.config, async (link) =>
        post(link, await refusePlan(link, plan, options.reason), options, context),
      ),
    'federation',
  );
  const withdraw = signs(
    site
      .command('withdraw')
      .description('take back the approval of a plan, or a dataset: no later round uses it')
      .argument('[plan]', 'its name, or a beginning of its digest'),
  )
    .addOption(reasonOption())
    .option('--dataset <name>', 'instead of a plan')
    .addOption(
      new Option('--scope <scope>', 'of a dataset: until a new commitment, or for good')
        .choices(['commitment', 'all'])
        .default('commitment'),
    );
  handles<WithdrawOptions>(
    withdraw,
    context,
    ([plan], options) =>
      withSite(options.config, async (link) =>
        post(link, await dueOf(link, plan, options), options, context),
      ),
    'federation',
  );
}

async function dueOf(
  link: SiteLink,
  plan: string | undefined,
  { dataset, scope, reason }: WithdrawOptions,
): Promise<DueWithdrawal> {
  if (plan !== undefined && dataset === undefined) return refusePlan(link, plan, reason);
  if (plan === undefined && dataset !== undefined) return withdrawDataset(link, dataset, scope, reason);
  throw new RegulonError('E_ARGUMENT', 'name a plan, or a dataset with --dataset');
}

async function post(
  link: SiteLink,
  { statement, lines: read }: DueWithdrawal,
  options: WithdrawOptions,
  context: Context,
): Promise<CommandResult> {
  const digest = digestOfBody(statement.body);
  const due = { lines: [...read, `digest  ${digest}`], digest };
  if (options.dryRun) return { data: { ...statement, digest, signed: false }, lines: due.lines };
  await agree(context, options.digest, due);
  const index = await bookOf(options, link.config.site).post(link, statement);
  return {
    data: { ...statement, digest, signed: true, index },
    lines: [`${statement.kind}: entry ${index}`],
  };
}
