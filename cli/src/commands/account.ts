import { type Command, Option } from 'commander';
import { z } from 'zod';
import { accountName, type Role, roles } from '@regulon/coordinator/identity';
import { RegulonError } from '@regulon/shared/errors';
import { parseStrict } from '@regulon/shared/plan';
import { CoordinatorApi } from '../api-client/index.js';
import { type CommandResult, tableLines } from '../output/index.js';
import { addressFor, apiFor, type ConnectionOptions, connects, serverOf } from './connection.js';
import { confirm, type Context, handles } from './context.js';
import { accountLines } from './hand-over.js';

/** `regulon account …`: operators invite people, who choose their own password. */
export function accountCommands(program: Command, context: Context): void {
  const account = program
    .command('account')
    .description('people who may use the coordinator, and their roles');
  list(account, context);
  add(account, context);
  activate(account, context);
  reset(account, context);
  remove(account, context);
}

function list(account: Command, context: Context): void {
  const command = connects(account.command('list').description('every account'));
  handles<ConnectionOptions>(command, context, async (_, options) => {
    const accounts = await apiFor(options, context).accounts();
    const lines = tableLines(
      [
        { title: 'name', value: ({ name }: (typeof accounts)[number]) => name },
        { title: 'in the log', value: ({ id }) => id },
        { title: 'role', value: ({ role }) => role },
        { title: 'state', value: ({ state }) => state },
        { title: 'since', value: ({ created }) => new Date(created).toISOString() },
      ],
      accounts,
    );
    return { data: { accounts }, rows: accounts, lines: accounts.length === 0 ? ['no accounts'] : lines };
  });
}

type Changing = ConnectionOptions & { dryRun: boolean; yes: boolean; role: Role; subject?: string };

/** The coordinator, and how it is reached. */
interface Server {
  readonly api: CoordinatorApi;
  readonly server: string;
}

/** A command that changes one account after a person's yes. */
function changing(
  command: Command,
  context: Context,
  {
    words,
    change,
  }: {
    readonly words: (name: string, options: Changing) => string;
    readonly change: (there: Server, name: string, options: Changing) => Promise<CommandResult>;
  },
): void {
  connects(command.argument('<name>', 'of the account'))
    .option('--dry-run', 'say what would change, change nothing', false)
    .option('--yes', 'do not ask', false);
  handles<Changing>(
    command,
    context,
    async ([name = ''], options) => {
      verifyName(name);
      const address = addressFor(options, context);
      const what = words(name, options);
      if (options.dryRun) return { data: { name }, lines: [`would ${what}`] };
      await confirm(context, options, `${what}?`);
      return change({ api: new CoordinatorApi(address), server: address.server }, name, options);
    },
    'federation',
  );
}

/** @throws E_ARGUMENT for a text under which no account can stand; it is not repeated, it may be a person's */
function verifyName(name: string): void {
  parseStrict(z.strictObject({ name: accountName }), { name }, 'the account', 'E_ARGUMENT');
}

function add(account: Command, context: Context): void {
  const command = account
    .command('add')
    .description('invite a person; prints the code with which the person chooses a password')
    .addOption(new Option('--role <role>', 'of the account').choices([...roles]).makeOptionMandatory())
    .option('--subject <id>', 'who the person is at the OpenID provider; then there is no password here');
  changing(command, context, {
    words: (name, { role }) => `add the ${role} ${name}`,
    change: async ({ api, server }, name, { role, subject }) => {
      if (subject === undefined) return setupResult(name, server, await api.addAccount({ name, role }));
      await api.addAccountOfProvider({ name, role, subject });
      const lines = [`${name} may log in:`, ...accountLines('login --provider', server)];
      return { data: { name, role }, lines };
    },
  });
}

function reset(account: Command, context: Context): void {
  const command = account
    .command('reset')
    .description('end password, second factor and sessions of a person, and print a new code');
  changing(command, context, {
    words: (name) => `end password and sessions of ${name}`,
    change: async ({ api, server }, name) => setupResult(name, server, await api.resetAccount(name)),
  });
}

function remove(account: Command, context: Context): void {
  const command = account.command('remove').description('end an account and its sessions');
  changing(command, context, {
    words: (name) => `remove the account ${name}`,
    change: async ({ api }, name) => {
      await api.removeAccount(name);
      return { data: { removed: name }, lines: [`${name} is removed`] };
    },
  });
}

function setupResult(
  name: string,
  server: string,
  { setupCode, expires }: { readonly setupCode: string; readonly expires: number },
): CommandResult {
  const lines = [
    `code  ${setupCode}`,
    `works once, until ${new Date(expires).toISOString()}; give it to ${name} by a way that only ${name} reads:`,
    ...accountLines(`account activate ${name}`, server),
  ];
  return { data: { name, setupCode, expires }, lines };
}

function activate(account: Command, context: Context): void {
  const command = connects(
    account
      .command('activate')
      .description('choose the password of your account, with the code that an operator gave you')
      .argument('<name>', 'yours'),
  );
  handles<ConnectionOptions>(
    command,
    context,
    async ([name = ''], options) => {
      verifyName(name);
      const server = serverOf(options, context);
      const api = new CoordinatorApi({ server, token: '' });
      const setupCode = await context.secrets.ask('code that the operator gave you');
      const password = await context.secrets.ask('new password');
      if ((await context.secrets.ask('the same again')) !== password)
        throw new RegulonError('E_ARGUMENT', 'the two passwords differ; nothing was changed', {
          hint: 'repeat the command: the code still works',
        });
      const { secondFactor } = await api.activateAccount({ name, setupCode, password });
      return { data: { name, secondFactor }, lines: activatedLines(name, server, secondFactor) };
    },
    'account',
  );
}

function activatedLines(name: string, server: string, secondFactor: string | null): string[] {
  const login = `  regulon login --account ${name} --server ${server}`;
  if (secondFactor === null) return [`${name} may log in:`, login];
  return [
    `second factor  ${new URL(secondFactor).searchParams.get('secret') ?? ''}`,
    secondFactor,
    'type the first line into an authenticator app now, or scan the second: neither is shown again',
    `${name} may log in with the password and a code of the app:`,
    login,
  ];
}
