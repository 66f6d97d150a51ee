import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { RegulonError } from '@regulon/shared/errors';
import { parseEntry } from '@regulon/shared/transparency';
import { type ApiAddress, CoordinatorApi } from '../api-client/index.js';
import { readJsonFile } from '../files/index.js';
import type { Context } from './context.js';
import { ownSession, verifySessionOf } from './session.js';

/** `coordinator.json` in the public folder of a federation. */
const coordinatorFile = z.looseObject({ httpPort: z.int().min(1).max(65_535) });

/** Options of every command that talks to a coordinator. */
export interface ConnectionOptions {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly federation?: string;
}

/** Add `--server`, `--token-file` and `--federation`; each has an environment variable. */
export function connects(command: Command): Command {
  return command
    .addOption(new Option('--server <url>', 'REST address of the coordinator (REGULON_SERVER)'))
    .addOption(new Option('--token-file <file>', 'bearer token of the coordinator (REGULON_TOKEN_FILE)'))
    .addOption(new Option('--federation <dir>', "the federation's public folder (REGULON_FEDERATION)"));
}

/** The API that the options, the environment, or the session of this user name. @throws E_ARGUMENT when something is missing */
export function apiFor(options: ConnectionOptions, context: Context): CoordinatorApi {
  return new CoordinatorApi(addressFor(options, context));
}

/** Address and token of that API. @throws E_ARGUMENT when something is missing */
export function addressFor(options: ConnectionOptions, context: Context): ApiAddress {
  const tokenFile = options.tokenFile ?? context.env['REGULON_TOKEN_FILE'];
  if (tokenFile === undefined) return addressOfSession(options, context);
  return { server: serverOf(options, context), token: readToken(tokenFile) };
}

/** The API at which this user is logged in; other servers are not shown the token. @throws E_ARGUMENT */
export function apiOfSession(options: ConnectionOptions, context: Context): CoordinatorApi {
  return new CoordinatorApi(addressOfSession(options, context));
}

function addressOfSession(options: ConnectionOptions, context: Context): ApiAddress {
  const session = ownSession(context);
  if (session === undefined) {
    throw new RegulonError('E_ARGUMENT', 'nobody is logged in, and --token-file is missing', {
      hint: 'log in with `regulon login`, or name the token file of the coordinator (REGULON_TOKEN_FILE)',
    });
  }
  const isNamed = namedServer(options, context) !== undefined;
  const server = isNamed ? serverOf(options, context) : session.server;
  verifySessionOf(session, server);
  return { server, token: session.token };
}

function readToken(file: string): string {
  const token = readFileSync(file, 'utf8').trim();
  if (/^[\x21-\x7e]{1,1000}$/.test(token)) return token;
  throw new RegulonError('E_ARGUMENT', `${file}: holds no token (one line without blanks)`, {
    hint: "use the coordinator's own token file",
  });
}

const namedServer = (options: ConnectionOptions, { env }: Context): string | undefined =>
  options.server ?? env['REGULON_SERVER'];

/** Address of the coordinator. @throws E_ARGUMENT when it is missing */
export function serverOf(options: ConnectionOptions, context: Context): string {
  const given = namedServer(options, context);
  if (given !== undefined) return validUrl(given);
  const folder = options.federation ?? context.env['REGULON_FEDERATION'];
  const file = folder === undefined ? undefined : join(folder, 'coordinator.json');
  if (file === undefined || !existsSync(file)) {
    const found = file === undefined ? '' : ` and there is no ${file}`;
    throw new RegulonError('E_ARGUMENT', `--server is missing${found}`, {
      hint: 'name the coordinator, e.g. http://127.0.0.1:7003, or set REGULON_SERVER or REGULON_FEDERATION',
    });
  }
  const { httpPort } = readJsonFile(file, coordinatorFile, 'E_CONFIG');
  // its host is where daemons connect; the REST interface listens on loopback only
  return `http://127.0.0.1:${httpPort}`;
}

const LOOPBACK = /^(127(\.\d{1,3}){3}|localhost|\[::1\])$/;

/** Whether an address is the machine that asks. */
export const isLoopback = (server: string): boolean => LOOPBACK.test(new URL(server).hostname);

function validUrl(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) {
    const { protocol, hostname, username, password, search, hash } = new URL(text);
    if (protocol === 'http:' && !LOOPBACK.test(hostname)) throw readable(hostname);
    if (username + password + search + hash === '') return text;
  }
  throw new RegulonError('E_ARGUMENT', '--server: not an address such as http://127.0.0.1:7003');
}

/** Name and log of the federation, from its genesis. @throws E_ARGUMENT without a federation folder */
export function federationFor(
  options: ConnectionOptions,
  context: Context,
): { id: string; origin: string; folder: string } {
  const folder = options.federation ?? context.env['REGULON_FEDERATION'];
  if (folder === undefined) {
    throw new RegulonError('E_ARGUMENT', '--federation is missing', {
      hint: "name the federation's public folder (roster.json, genesis.json), or set REGULON_FEDERATION",
    });
  }
  const entry = parseEntry(Uint8Array.from(readFileSync(join(folder, 'genesis.json'))));
  if (entry.kind !== 'federation.genesis')
    throw new RegulonError('E_ARGUMENT', `${folder}: genesis.json is no genesis`);
  return { id: entry.fed, origin: entry.body.origin, folder };
}

const readable = (host: string): RegulonError =>
  new RegulonError('E_ARGUMENT', `--server: passwords and tokens would travel readable to ${host}`, {
    hint: 'name it with https, or its loopback address through a tunnel, e.g. http://127.0.0.1:7003',
  });
