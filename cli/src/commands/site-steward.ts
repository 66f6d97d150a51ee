import type { Command } from 'commander';
import { liftObjection } from '@regulon/client/consent';
import { describeSite } from '@regulon/client/describe';
import { objectionsOf, type StewardStatements } from '@regulon/client/rounds';
import { untilText } from '@regulon/shared/plan';
import { refuseIdentifiers } from '@regulon/shared/transparency';
import type { CommandResult } from '../output/index.js';
import {
  approvalEnd,
  digestOfBody,
  endOfDay,
  findProposal,
  inboxLines,
  inboxOf,
  type OwnWord,
  policyLines,
  requestFacts,
  requestLines,
  reviewersOf,
  secondPerson,
  settlePolicy,
  statedLines,
  succeeding,
  STOPPED,
  type SiteLink,
  verifyNotWithdrawn,
  verifyPersons,
  verifyTerms,
  verifyUse,
  withSite,
} from '../steward/index.js';
import { agree } from './agree.js';
import { type Context, handles } from './context.js';
import { siteReleaseCommand } from './site-release.js';
import { roleCommands } from './site-roles.js';
import { withdrawCommands } from './site-withdraw.js';
import { overrideCommand } from './site-override.js';
import { bookOf, seconded, type SecondedOptions, signs } from './stewarding.js';

/** `regulon site policy|inbox|approve|override|reject|withdraw|grant|ungrant|release`: what the steward of a site reads and signs, over the site's own connection. */
export function stewardCommands(site: Command, context: Context): void {
  policyCommand(site, context);
  inboxCommand(site, context);
  approveCommand(site, context);
  overrideCommand(site, context);
  withdrawCommands(site, context);
  roleCommands(site, context);
  siteReleaseCommand(site, context);
}

function policyCommand(site: Command, context: Context): void {
  const policy = site.command('policy').description('what a site allows');
  const show = policy
    .command('show')
    .description('policy and dataset of this site as the log has them')
    .requiredOption('--config <file>', 'configuration of the daemon');
  handles<{ config: string }>(show, context, (_, { config }) =>
    withSite(config, async (link) => {
      const { lines, stated } = await statedLines(link);
      return { data: stated, lines };
    }),
  );
  const command = seconded(
    signs(
      policy
        .command('set')
        .description('state the policy file and the dataset of the configuration in the log'),
    ),
  );
  handles<SecondedOptions>(
    command,
    context,
    async (_, options, output) => {
      output.progress('reading the data');
      const described = await describeSite(options.config);
      return withSite(options.config, (link) => setPolicy(link, described, options, context));
    },
    'federation',
  );
}

async function setPolicy(
  link: SiteLink,
  described: StewardStatements,
  options: SecondedOptions,
  context: Context,
): Promise<CommandResult> {
  if (!options.dryRun) await bookOf(options, link.config.site).settle(link);
  const statements = succeeding(link, described);
  const { policy, dataset } = statements;
  verifyTerms(dataset);
  refuseIdentifiers({ kind: 'policy.set', body: policy });
  refuseIdentifiers({ kind: 'dataset.commit', body: dataset });
  const due = { lines: policyLines(statements), digest: digestOfBody({ policy, dataset }) };
  if (options.dryRun) return { data: { ...statements, ...due, signed: false }, lines: due.lines };
  await agree(context, options.digest, due);
  const seconds = (options.second ?? []).map((path) => secondPerson(link, path));
  const indexes = await settlePolicy(link, bookOf(options, link.config.site), statements, seconds);
  const what = indexes.length === 0 ? 'the log says so already' : `entries ${indexes.join(', ')}`;
  return {
    data: { digest: due.digest, signed: true, indexes },
    lines: [`policy and dataset stated: ${what}`],
  };
}

function inboxCommand(site: Command, context: Context): void {
  const command = site
    .command('inbox')
    .description('plans that ask for the data of this site')
    .argument('[plan]', 'its name, or a beginning of its digest: everything about it')
    .requiredOption('--config <file>', 'configuration of the daemon');
  handles<{ config: string }>(command, context, ([plan], { config }) =>
    withSite(config, (link) => (plan === undefined ? listInbox(link) : showRequest(link, plan))),
  );
}

/** What the daemon of this site goes by, beside the log. */
const ownWord = ({ config, federation }: SiteLink): OwnWord => ({
  dataset: config.dataset.name,
  objections: objectionsOf(config, federation),
});

async function listInbox(link: SiteLink): Promise<CommandResult> {
  const rows = await inboxOf(link, ownWord(link), Date.now());
  return { data: rows, rows, lines: inboxLines(rows) };
}

async function showRequest(link: SiteLink, plan: string): Promise<CommandResult> {
  const items = await inboxOf(link, ownWord(link), Date.now());
  const facts = await requestFacts(link, await findProposal(link, plan), approvalEnd(new Date()));
  const digest = digestOfBody(facts.body);
  const item = items.findLast(({ planHash }) => planHash === facts.body.planHash);
  const stopped = item?.stopped ?? null;
  const state = `state   ${item?.state}${stopped === null ? '' : `; stopped here: ${STOPPED[stopped]}`}`;
  return {
    data: { body: facts.body, digest, plan: facts.plan, state: item?.state, stopped },
    lines: [...requestLines(facts), state, `digest  ${digest}`],
  };
}

interface ApproveOptions extends SecondedOptions {
  readonly until?: string;
  readonly condition?: readonly string[];
}

function approveCommand(site: Command, context: Context): void {
  const command = seconded(
    signs(
      site
        .command('approve')
        .description('let a plan use the data of this site')
        .argument('<plan>', 'its name, or a beginning of its digest'),
    ),
  ).option(
    '--until <day>',
    'last day of the approval, as 2027-01-31; default: one year, or the last of the data-use terms or the policy',
  );
  command.option(
    '--condition <text...>',
    'what you ask for besides: people read it in the log, no machine does',
  );
  handles<ApproveOptions>(
    command,
    context,
    ([plan = ''], options) => withSite(options.config, (link) => approve(link, plan, options, context)),
    'federation',
  );
}

async function approve(
  link: SiteLink,
  plan: string,
  options: ApproveOptions,
  context: Context,
): Promise<CommandResult> {
  const now = new Date();
  const until = options.until === undefined ? approvalEnd(now) : endOfDay(options.until, now);
  const facts = await requestFacts(link, await findProposal(link, plan), until, options.condition);
  const { body } = facts;
  verifyUse(facts.plan.name, facts.outside);
  verifyNotWithdrawn(link, body.dataset);
  refuseIdentifiers({ kind: 'plan.approve', body });
  const digest = digestOfBody(body);
  const due = { lines: [...requestLines(facts), `digest  ${digest}`], digest };
  if (options.dryRun) return { data: { body, digest, signed: false }, lines: due.lines };
  const seconds = (options.second ?? []).map((path) => secondPerson(link, path));
  verifyPersons(reviewersOf(link), seconds);
  await agree(context, options.digest, due);
  liftObjection(link.config.stateFolder, { planHash: body.planHash });
  const statement = { kind: 'plan.approve', body } as const;
  const index = await bookOf(options, link.config.site).post(link, statement, [], seconds);
  return {
    data: { body, digest, signed: true, index },
    lines: [`approved until ${untilText(body.validUntil)}: entry ${index}`],
  };
}
