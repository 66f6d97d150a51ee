import { resolve } from 'node:path';
import type { Command } from 'commander';
import { verifyOwnOnly } from '@regulon/client/enrol';
import type { BackendChoice } from '@regulon/client/training';
import { backendOption } from '../arguments/index.js';
import {
  dueSignature,
  type FederationFile,
  federationFileSchema,
  fingerprint,
  installSite,
  installUpdate,
  invitationSchema,
  joinSite,
  renewSite,
  rosterChangeSchema,
  SiteFolder,
  writeDocument,
  unreadRoster,
} from '../enrolment/index.js';
import { readJsonFile, verifyWritable } from '../files/index.js';
import type { CommandResult } from '../output/index.js';
import { agree } from './agree.js';
import { type Context, handles } from './context.js';
import { siteRotateCommand } from './rotate-key.js';

/** `regulon site join|sign|install|renew|rotate-key`: how a hospital becomes a member and stays one. */
export function joinCommands(site: Command, context: Context): void {
  joinCommand(site, context);
  signCommand(site, context);
  installCommand(site, context);
  renewCommand(site, context);
  siteRotateCommand(site, context);
}

function joinCommand(site: Command, context: Context): void {
  const command = site
    .command('join')
    .description('make the keys of a site, and the request that goes back to the founder')
    .argument('<folder>', 'of the site, empty or absent; on an encrypted volume')
    .requiredOption('--invitation <file>', 'from the founder')
    .requiredOption('--out <file>', 'where the request is written');
  handles<{ invitation: string; out: string }>(
    command,
    context,
    async ([folder = ''], options) => {
      verifyWritable(options.out);
      verifyOwnOnly(options.invitation);
      const invitation = readJsonFile(options.invitation, invitationSchema, 'E_INVITATION');
      const place = new SiteFolder(resolve(folder));
      const request = await joinSite(place, invitation, new Date());
      writeDocument(options.out, request);
      const { site: name, federationId, coordinatorKey } = invitation;
      const lines = [
        `${name} asks to join ${federationId}; the keys are in ${place.root} and never leave it`,
        `coordinator key  ${fingerprint(coordinatorKey)}: compare it with the founder by telephone`,
        `${options.out}  goes back to the founder; the invitation can be deleted`,
      ];
      return { data: { site: name, federationId, coordinatorKey, request }, lines };
    },
    'files',
  );
}

interface SignOptions {
  readonly folder: string;
  readonly key?: string;
  readonly digest?: string;
  readonly out?: string;
  readonly dryRun: boolean;
}

function signCommand(site: Command, context: Context): void {
  const command = site
    .command('sign')
    .description('read a change of the roster, and sign what is due here')
    .argument('<change>', 'file from the founder')
    .requiredOption('--folder <dir>', 'of the site')
    .option('--key <file>', 'of the administrator; default: the one that `site join` made')
    .option('--digest <digest>', 'of what you have read, instead of typing it')
    .option('--out <file>', 'where the signed change is written; default: over the one that was read')
    .option('--dry-run', 'show what would be signed, sign nothing', false);
  handles<SignOptions>(command, context, ([file = ''], options) => signFile(file, options, context), 'files');
}

async function signFile(file: string, options: SignOptions, context: Context): Promise<CommandResult> {
  const change = readJsonFile(file, rosterChangeSchema, 'E_ROSTER');
  const due = dueSignature(new SiteFolder(resolve(options.folder)), change, options.key, Date.now());
  const { what, digest, lines } = due;
  if (options.dryRun) return { data: { what, digest, signed: false }, lines };
  await agree(context, options.digest, due);
  const out = options.out ?? file;
  writeDocument(out, due.sign());
  return {
    data: { what, digest, signed: true, out },
    lines: [`${out}  ${what} signed; it goes back to the founder`],
  };
}

interface InstallOptions {
  readonly folder: string;
  readonly dataset?: string;
  readonly policy?: string;
  readonly digest?: string;
  readonly dryRun: boolean;
  readonly backend: BackendChoice;
}

function installCommand(site: Command, context: Context): void {
  const command = site
    .command('install')
    .description(
      'check what the founder sent, and install it: the federation at first, later a new certificate or roster',
    )
    .argument('<federation>', 'file from the founder')
    .requiredOption('--folder <dir>', 'of the site')
    .option('--dataset <file>', 'at first, YAML: the section `dataset` of the configuration')
    .option('--policy <file>', 'at first: policy of the site, YAML')
    .option(
      '--digest <digest>',
      'a site that joins later: of the roster that it has read, instead of typing it',
    )
    .option('--dry-run', 'show the roster that is still to be read here, install nothing', false)
    .addOption(backendOption());
  handles<InstallOptions>(
    command,
    context,
    ([file = ''], options) => install(file, options, context),
    'files',
  );
}

async function install(
  file: string,
  { folder, dataset, policy, digest, dryRun, backend }: InstallOptions,
  context: Context,
): Promise<CommandResult> {
  const place = new SiteFolder(resolve(folder));
  const federation = readJsonFile(file, federationFileSchema, 'E_ROSTER');
  if (dryRun) return unreadResult(place, federation);
  if (dataset === undefined || policy === undefined) {
    const version = installUpdate(place, federation, Date.now());
    const lines = [`${place.certificate}  installed, roster version ${version} pinned; restart the daemon`];
    return { data: { certificate: place.certificate, version }, lines };
  }
  const unread = unreadRoster(place, federation);
  if (unread) await agree(context, digest, unread);
  const files = { datasetFile: dataset, policyFile: policy, backend };
  const { rosterHash } = installSite(place, federation, files, Date.now());
  const { version } = (federation.changes.at(-1) ?? federation.roster).roster;
  const lines = [
    `${place.config}  pins roster version ${version}, sha256:${rosterHash}`,
    `next: regulon doctor --config ${place.config}`,
  ];
  return { data: { config: place.config, version, rosterHash }, lines };
}

/** What a site that signed none of the rosters reads before it installs the newest. */
function unreadResult(place: SiteFolder, federation: FederationFile): CommandResult {
  const unread = unreadRoster(place, federation);
  const { version } = (federation.changes.at(-1) ?? federation.roster).roster;
  const lines = unread?.lines ?? [
    `roster version ${version}: this site has signed it before, or installed an earlier one; no digest is asked for`,
  ];
  return { data: { version, digest: unread?.digest ?? null, installed: false }, lines: [...lines] };
}

function renewCommand(site: Command, context: Context): void {
  const command = site
    .command('renew')
    .description('make a new TLS key, and the request for its certificate')
    .requiredOption('--folder <dir>', 'of the site')
    .requiredOption('--out <file>', 'where the request is written');
  handles<{ folder: string; out: string }>(
    command,
    context,
    async (_, { folder, out }) => {
      verifyWritable(out);
      const renewal = await renewSite(new SiteFolder(resolve(folder)), new Date());
      writeDocument(out, renewal);
      return { data: { site: renewal.site, out }, lines: [`${out}  goes to the founder`] };
    },
    'files',
  );
}
