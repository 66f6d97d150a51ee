import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fromHex, publicKeyOf } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  parseStrict,
  type Roster,
  ROSTER_CHANGES,
  rosterChangesSchema,
  type SignedRoster,
  signedRosterSchema,
  verifyRosterChain,
} from '@regulon/shared/plan';
import { parseYaml } from '@regulon/shared/yaml';
import { type Config, configSchema } from './config.js';

/** Everything the process needs from its files, read once at start. */
export interface Settings {
  readonly config: Config;
  /** the roster in force */
  readonly roster: Roster;
  /** the founding roster with its signatures, as the genesis refers to it */
  readonly signedRoster: SignedRoster;
  /** the rosters that followed it, oldest first */
  readonly rosterChanges: readonly SignedRoster[];
  /** entry bytes of federation.genesis, signed by the coordinator and every founding site */
  readonly genesis: Uint8Array;
  readonly quorumPolicy: string;
  /** 32-byte seeds */
  readonly keys: { readonly statement: Uint8Array; readonly log: Uint8Array };
  /** PEM */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly bearerToken: string;
  /** PEM of the authority's key, and days that its certificates hold */
  readonly authority?: { readonly key: string; readonly days: number } | undefined;
}

/**
 * Read the configuration file and the files it names.
 *
 * @param file path of the YAML file
 * @throws E_CONFIG naming key or file and the rule (never a value); E_KEY_FILE when a secret is readable by others;
 *   E_ROSTER when the roster is not signed by enough administrators or names another coordinator
 */
export function readSettings(file: string): Settings {
  const folder = dirname(resolve(file));
  const config = parseConfig(readBytes(file, 'configuration'), folder);
  const federation = (name: string): string => resolve(config.federation, name);
  const keys = {
    statement: readSeed(config.keys.statement, 'statement'),
    log: readSeed(config.keys.log, 'log'),
  };
  const signed = parseStrict(
    signedRosterSchema,
    parseJson(federation('roster.json')),
    'roster.json',
    'E_ROSTER',
  );
  const changes = existsSync(federation(ROSTER_CHANGES))
    ? parseStrict(rosterChangesSchema, parseJson(federation(ROSTER_CHANGES)), ROSTER_CHANGES, 'E_ROSTER')
    : [];
  const rosters = verifyRosterChain([signed, ...changes]);
  const roster = rosters.at(-1) ?? rosters[0];
  if (Buffer.compare(publicKeyOf(keys.statement), fromHex(roster.coordinatorKey)) !== 0) {
    throw new RegulonError('E_ROSTER', 'keys.statement is not the coordinator key of the roster');
  }
  return {
    config,
    roster,
    signedRoster: signed,
    rosterChanges: changes,
    genesis: new Uint8Array(readBytes(federation('genesis.json'), 'genesis')),
    quorumPolicy: readText(federation('quorum.policy'), 'quorum policy'),
    keys,
    tls: {
      cert: readText(config.tls.cert, 'tls.cert'),
      key: readSecret(config.tls.key, 'tls.key'),
      ca: readText(config.tls.ca, 'tls.ca'),
    },
    bearerToken: readSecret(config.bearerTokenFile, 'bearerTokenFile').trim(),
    authority: config.authority && {
      key: readSecret(config.authority.key, 'authority.key'),
      days: config.authority.days,
    },
  };
}

/**
 * Parse the bytes of a configuration file; relative paths become absolute.
 *
 * @param folder that relative paths count from
 * @throws E_CONFIG
 */
export function parseConfig(bytes: Uint8Array, folder: string): Config {
  const value = parseYaml(bytes, 'configuration', 'E_CONFIG');
  const config = parseStrict(configSchema, value, 'configuration', 'E_CONFIG');
  if (config.testing && !config.allowTesting) {
    throw new RegulonError(
      'E_CONFIG',
      'configuration: testing: only allowed together with allowTesting: true',
    );
  }
  const at = (path: string): string => resolve(folder, path);
  return {
    ...config,
    federation: at(config.federation),
    stateFolder: at(config.stateFolder),
    keys: { statement: at(config.keys.statement), log: at(config.keys.log) },
    tls: { cert: at(config.tls.cert), key: at(config.tls.key), ca: at(config.tls.ca) },
    bearerTokenFile: at(config.bearerTokenFile),
    ...(config.authority && { authority: { ...config.authority, key: at(config.authority.key) } }),
  };
}

function readBytes(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new RegulonError('E_CONFIG', `${what}: the file ${path} cannot be read`, { cause });
  }
}

function readText(path: string, what: string): string {
  return readBytes(path, what).toString('utf8');
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readText(path, path)) as unknown;
  } catch (cause) {
    if (cause instanceof RegulonError) throw cause;
    throw new RegulonError('E_CONFIG', `${path}: not valid JSON`);
  }
}

/** A secret must not be readable by other users of the machine. */
function readSecret(path: string, what: string): string {
  const text = readText(path, what);
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
    throw new RegulonError('E_KEY_FILE', `${what}: the file ${path} is readable by others`);
  }
  if (text.trim() === '') throw new RegulonError('E_CONFIG', `${what}: the file ${path} is empty`);
  return text;
}

function readSeed(path: string, what: string): Uint8Array {
  const text = readSecret(path, `keys.${what}`).trim();
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new RegulonError('E_KEY_FILE', `keys.${what}: not 32 bytes in hexadecimal`);
  return fromHex(text);
}
