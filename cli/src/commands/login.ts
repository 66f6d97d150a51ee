import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import type { Session } from '@regulon/coordinator/auth';
import { RegulonError } from '@regulon/shared/errors';
import { CoordinatorApi } from '../api-client/index.js';
import { verifyReplaceable, writeWhole } from '../files/index.js';
import { apiFor, apiOfSession, type ConnectionOptions, connects, serverOf } from './connection.js';
import { harmless } from '../output/index.js';
import { type Context, handles } from './context.js';
import { idTokenOf } from './provider-login.js';
import { forgetSession, keepSession, ownSession } from './session.js';

/** `regulon login`, `logout` and `whoami`: the session of a person with an account. */
export function sessionCommands(program: Command, context: Context): void {
  login(program, context);
  logout(program, context);
  whoAmI(program, context);
}

interface LoginOptions extends ConnectionOptions {
  readonly account?: string;
  readonly provider: boolean;
}

function login(program: Command, context: Context): void {
  const command = connects(program.command('login').description('begin a session of 12 hours'))
    .option('--account <name>', 'yours, with a password')
    .option('--provider', 'log in at the OpenID provider of the federation, in a browser', false)
    .addHelpText(
      'after',
      '\nThe password is asked for; a script writes it, and the code, to the standard input.',
    );
  handles<LoginOptions>(
    command,
    context,
    async (_, options) => {
      const server = serverOf(options, context);
      const api = new CoordinatorApi({ server, token: '' });
      // it may be the coordinator's own
      if (options.tokenFile !== undefined) verifyReplaceable(options.tokenFile, false);
      const session = await begun(api, options, context);
      const file = options.tokenFile ?? keepSession(context, server, session.token);
      if (options.tokenFile !== undefined) {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
        writeWhole(file, `${session.token}\n`, 0o600);
      }
      const { role, expires } = session;
      const hidden = context.env['REGULON_TOKEN_FILE'] !== undefined && options.tokenFile === undefined;
      const lines = [
        `${role} until ${new Date(expires).toISOString()}`,
        `token  ${file}`,
        ...(hidden ? ['other commands use REGULON_TOKEN_FILE while it is set'] : []),
      ];
      return { data: { role, expires, file }, lines };
    },
    'files',
  );
}

async function begun(api: CoordinatorApi, options: LoginOptions, context: Context): Promise<Session> {
  const { account: name, provider } = options;
  if (provider === (name !== undefined)) {
    const hint =
      '`regulon login --account NAME` asks for a password, `regulon login --provider` opens a browser';
    throw new RegulonError('E_ARGUMENT', 'one of --account and --provider is needed', { hint });
  }
  if (name === undefined) {
    const open = (url: string): void =>
      context.streams.err(`open this address in a browser:\n${harmless(url)}\n`);
    return api.loginOfProvider(await idTokenOf(await api.challenge(), open));
  }
  const password = await context.secrets.ask(`password of ${name}`);
  const code = await context.secrets.ask('code of the second factor (empty without one)');
  return api.login({ name, password, ...(code === '' ? {} : { code }) });
}

/** A session that a person began comes before the token file that the environment names. */
function ofPerson(options: ConnectionOptions, context: Context): CoordinatorApi {
  const isOwn = options.tokenFile === undefined && ownSession(context) !== undefined;
  return isOwn ? apiOfSession(options, context) : apiFor(options, context);
}

function logout(program: Command, context: Context): void {
  const command = connects(
    program.command('logout').description('end the session, here and at the coordinator'),
  );
  handles<ConnectionOptions>(
    command,
    context,
    async (_, options) => {
      const api = ofPerson(options, context);
      const { name } = await api.whoAmI();
      await api.logout();
      if (options.tokenFile === undefined) forgetSession(context);
      return { data: { ended: name }, lines: [`the session of ${name} has ended`] };
    },
    'files',
  );
}

function whoAmI(program: Command, context: Context): void {
  const command = connects(program.command('whoami').description('whose session this is'));
  handles<ConnectionOptions>(command, context, async (_, options) => {
    const who = await ofPerson(options, context).whoAmI();
    const role = who.role ?? "the coordinator's own token: every route";
    return { data: who, lines: [`${who.name} (${role})`] };
  });
}
