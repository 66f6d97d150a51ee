import { type Command, Option } from 'commander';
import type { CommandResult } from '../output/index.js';
import {
  digestOfBody,
  endOfDay,
  grantRole,
  revokeRole,
  ROLE_REASONS,
  type SiteLink,
  withSite,
} from '../steward/index.js';
import { agree } from './agree.js';
import { type Context, handles } from './context.js';
import { bookOf, type StewardOptions, signs } from './stewarding.js';

interface RoleOptions extends StewardOptions {
  readonly role: 'researcher' | 'auditor' | 'operator';
}

const roleOption = (): Option =>
  new Option('--role <role>', 'what the key stands for')
    .choices(['researcher', 'auditor', 'operator'])
    .makeOptionMandatory();

/** `regulon site grant|ungrant`: a steward gives a person a role in the federation, or takes it away. */
export function roleCommands(site: Command, context: Context): void {
  const grant = signs(
    site
      .command('grant')
      .description('let a person act in the federation under an own key; the coordinator signs too')
      .argument('<id>', 'opaque id: lower-case letters, digits and hyphens, no name of a person'),
  )
    .addOption(roleOption())
    .requiredOption('--public-key <hex>', 'what `regulon fed key` printed for the person')
    .requiredOption('--until <date>', 'last day of the role, e.g. 2027-06-30');
  handles<RoleOptions & { publicKey: string; until: string }>(
    grant,
    context,
    ([subject = ''], options) =>
      withSite(options.config, async (link) => {
        const { role, publicKey: key, until } = options;
        const validUntil = endOfDay(until, new Date()).toISOString();
        return post(link, grantRole(link, { role, subject, key, validUntil }), options, context);
      }),
    'federation',
  );
  const ungrant = signs(
    site
      .command('ungrant')
      .description('take a role away, whoever gave it')
      .argument('<id>', 'of the person'),
  )
    .addOption(roleOption())
    .addOption(
      new Option('--reason <reason>', 'stands in the log').choices(ROLE_REASONS).makeOptionMandatory(),
    );
  handles<RoleOptions & { reason: string }>(
    ungrant,
    context,
    ([subject = ''], options) =>
      withSite(options.config, async (link) => {
        const { role, reason } = options;
        return post(link, revokeRole(link, { role, subject, reason }), options, context);
      }),
    'federation',
  );
}

async function post(
  link: SiteLink,
  { statement, lines: read }: ReturnType<typeof grantRole>,
  options: RoleOptions,
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
