import { type Command, Option } from 'commander';
import { RegulonError } from '@regulon/shared/errors';
import {
  refusePlan,
  refuseUnread,
  withdrawDataset,
  WITHDRAWAL_REASONS,
  withdrawUnread,
} from '../steward/index.js';
import { type Context, handles } from './context.js';
import { type No, sayNo } from './say-no.js';
import { type StewardOptions, signs } from './stewarding.js';

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
    ([plan = ''], options, output) => sayNo(ofPlan(plan, options.reason), options, context, output),
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
    ([plan], options, output) => sayNo(noOf(plan, options), options, context, output),
    'federation',
  );
}

function noOf(plan: string | undefined, { dataset, scope, reason }: WithdrawOptions): No {
  if (plan !== undefined && dataset === undefined) return ofPlan(plan, reason);
  if (plan === undefined && dataset !== undefined)
    return {
      due: async (link) => withdrawDataset(link, dataset, scope, reason),
      unread: () => withdrawUnread(dataset, scope, reason),
    };
  throw new RegulonError('E_ARGUMENT', 'name a plan, or a dataset with --dataset');
}

const ofPlan = (plan: string, reason: string): No => ({
  due: (link) => refusePlan(link, plan, reason),
  unread: () => (/^sha256:[0-9a-f]{64}$/.test(plan) ? refuseUnread(plan, reason) : undefined),
});
