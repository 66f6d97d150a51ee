import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { CoordinatorApi } from '../api-client/index.js';
import { verifyReplaceable, writeWhole } from '../files/index.js';
import {
  apiFor,
  type ConnectionOptions,
  connects,
  serverOf,
  sessionFile,
  tokenFileOf,
} from './connection.js';
import { type Context, handles } from './context.js';

/** `regulon login`, `logout` and `whoami`: the session of a person with an account. */
export function sessionCommands(program: Command, context: Context): void {
  login(program, context);
  logout(program, context);
  whoAmI(program, context);
}

function login(program: Command, context: Context): void {
  const command = connects(program.command('login').description('begin a session of 12 hours'))
    .requiredOption('--account <name>', 'yours')
    .addHelpText(
      'after',
      '\nThe password is asked for; a script writes it, and the code, to the standard input.',
    );
  handles<ConnectionOptions & { account: string }>(
    command,
    context,
    async (_, options) => {
      const { account: name } = options;
      const api = new CoordinatorApi({ server: serverOf(options, context), token: '' });
      const file = options.tokenFile ?? sessionFile(context);
      // it may be the coordinator's own
      if (options.tokenFile !== undefined) verifyReplaceable(file, false);
      const password = await context.secrets.ask(`password of ${name}`);
      const code = await context.secrets.ask('code of the second factor (empty without one)');
      const { token, role, expires } = await api.login({ name, password, ...(code === '' ? {} : { code }) });
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeWhole(file, `${token}\n`, 0o600);
      const until = new Date(expires).toISOString();
      return {
        data: { name, role, expires, file },
        lines: [`${name} (${role}) until ${until}`, `token  ${file}`],
      };
    },
    'files',
  );
}

function logout(program: Command, context: Context): void {
  const command = connects(
    program.command('logout').description('end the session, here and at the coordinator'),
  );
  handles<ConnectionOptions>(
    command,
    context,
    async (_, options) => {
      await apiFor(options, context).logout();
      const file = tokenFileOf(options, context);
      if (file === sessionFile(context)) rmSync(file, { force: true });
      return { data: { ended: true }, lines: ['the session has ended'] };
    },
    'files',
  );
}

function whoAmI(program: Command, context: Context): void {
  const command = connects(program.command('whoami').description('whose session this is'));
  handles<ConnectionOptions>(command, context, async (_, options) => {
    const who = await apiFor(options, context).whoAmI();
    const role = who.role ?? "the coordinator's own token: every route";
    return { data: who, lines: [`${who.name} (${role})`] };
  });
}
