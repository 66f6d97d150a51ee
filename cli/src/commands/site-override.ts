import { type Command, Option } from 'commander';
import { RegulonError } from '@regulon/shared/errors';
import { untilText } from '@regulon/shared/plan';
import { type BodyOf, OVERRIDE_PERSONS, refuseIdentifiers } from '@regulon/shared/transparency';
import { shown } from '../enrolment/index.js';
import type { CommandResult } from '../output/index.js';
import {
  digestOfBody,
  endOfDay,
  findProposal,
  secondPerson,
  type SiteLink,
  statedPolicy,
  verifyPersons,
  withSite,
} from '../steward/index.js';
import { agree } from './agree.js';
import { type Context, handles } from './context.js';
import { bookOf, seconded, type SecondedOptions, signs } from './stewarding.js';

type Override = BodyOf<'policy.override'>;

interface OverrideOptions extends SecondedOptions {
  readonly rule: Override['rule'];
  readonly justification: string;
  readonly until: string;
}

const RULES: readonly Override['rule'][] = ['purposes', 'dataUse', 'plans', 'maxRounds'];

/** `regulon site override`: two persons except one plan from a rule of the policy, until a day. */
export function overrideCommand(site: Command, context: Context): void {
  const command = seconded(
    signs(
      site
        .command('override')
        .description('except one plan from a rule of the policy of this site; two persons sign')
        .argument('<plan>', 'its name, or a beginning of its digest'),
    ),
  )
    .addOption(new Option('--rule <rule>', 'key of the policy').choices(RULES).makeOptionMandatory())
    .requiredOption('--justification <text>', 'stands in the log: no names, dates or numbers of persons')
    .requiredOption('--until <day>', 'last day of the exception, as 2027-01-31');
  handles<OverrideOptions>(
    command,
    context,
    ([plan = ''], options) => withSite(options.config, (link) => override(link, plan, options, context)),
    'federation',
  );
}

async function override(
  link: SiteLink,
  plan: string,
  options: OverrideOptions,
  context: Context,
): Promise<CommandResult> {
  const { logged } = await findProposal(link, plan);
  const policy = statedPolicy(link)?.policy.digest;
  if (policy === undefined)
    throw new RegulonError('E_POLICY', `${link.own.name} has stated no policy to except a plan from`, {
      hint: '`regulon site policy set`',
    });
  const { planHash, name } = logged.entry.body;
  const expires = endOfDay(options.until, new Date()).toISOString();
  const body: Override = {
    ...{ policy, rule: options.rule, planHash },
    ...{ justification: options.justification.normalize('NFC'), expires },
  };
  refuseIdentifiers({ kind: 'policy.override', body });
  const digest = digestOfBody(body);
  const lines = overrideLines(name, body, digest);
  if (options.dryRun) return { data: { body, digest, signed: false }, lines };
  const seconds = (options.second ?? []).map((path) => secondPerson(link, path));
  verifyPersons(OVERRIDE_PERSONS, seconds);
  await agree(context, options.digest, { lines, digest });
  const index = await bookOf(options, link.config.site).post(
    link,
    { kind: 'policy.override', body },
    [],
    seconds,
  );
  return {
    data: { body, digest, signed: true, index },
    lines: [`excepted until ${untilText(expires)}: entry ${index}`],
  };
}

/** What both persons read before they sign. */
export const overrideLines = (plan: string, body: Override, digest: string): string[] => [
  `except plan ${plan}, ${body.planHash}`,
  `from ${body.rule} of policy ${body.policy}, until ${untilText(body.expires)}`,
  `because: ${shown(body.justification)}`,
  'effect: this site takes part in this plan against its policy; the terms of the dataset hold all the same',
  `digest  ${digest}`,
];
