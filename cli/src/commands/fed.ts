import { CERTIFICATE_DAYS } from '@regulon/coordinator/authority';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { readSeedFile, writeKeyFile } from '@regulon/client/enrol';
import { hex, publicKeyOf, randomBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { parseStrict } from '@regulon/shared/plan';
import { wholeNumber } from '../arguments/index.js';
import {
  admit,
  certify,
  collect,
  createFederation,
  type FederationFile,
  fingerprint,
  found,
  FounderFolder,
  invite,
  isWhole,
  isRosterSigned,
  joinRequestSchema,
  openChange,
  proposeFounding,
  proposeJoin,
  putInForce,
  type RosterChange,
  rosterChangeSchema,
  signersOf,
  type Terms,
  termsSchema,
  writeDocument,
  writePrivate,
} from '../enrolment/index.js';
import { readJsonFile, verifyWritable } from '../files/index.js';
import type { CommandResult } from '../output/index.js';
import { type Context, handles } from './context.js';
import { membersCommand } from './fed-members.js';
import { installLines, joinLines, signLines, word } from './hand-over.js';
import { laterOptions, revokeCommand } from './fed-revoke.js';
import { renewalsCommand } from './fed-renew.js';
import { fedRotateCommand } from './rotate-key.js';

interface CreateOptions {
  readonly id: string;
  readonly host: string;
  readonly controlPort: string;
  readonly bulkPort: string;
  readonly httpPort: string;
  readonly minSites: string;
  readonly gamma: string;
  readonly signatures?: string;
  readonly certificateDays: string;
  readonly person: readonly string[];
  readonly retention: readonly string[];
}

/** `regulon fed …`: found a federation, and change who belongs to it. */
export function fedCommands(program: Command, context: Context): void {
  const fed = program.command('fed').description('found a federation; who belongs to it');
  createCommand(fed, context);
  inviteCommand(fed, context);
  admitCommand(fed, context);
  proposeCommand(fed, context);
  collectCommand(fed, context);
  revokeCommand(fed, context);
  fedRotateCommand(fed, context);
  membersCommand(fed, context);
  renewalsCommand(fed, context);
  keyCommand(fed, context);
}

function createCommand(fed: Command, context: Context): void {
  const command = fed
    .command('create')
    .description('begin a federation: keys of its coordinator, its own certificate authority, its rules')
    .argument('<folder>', 'of the founder, empty or absent')
    .requiredOption('--id <id>', 'of the federation: fed_ and letters or digits')
    .requiredOption('--host <name>', 'under which sites reach the coordinator')
    .option('--control-port <port>', 'of the coordinator', '7001')
    .option('--bulk-port <port>', 'of the coordinator', '7002')
    .option('--http-port <port>', 'of the coordinator, on its own machine only', '7003')
    .option('--min-sites <n>', 'least sites in a sum', '5')
    .option('--gamma <share>', 'share of sites that may collude with the coordinator', '1/3')
    .option('--signatures <k>', 'administrators who must sign a roster; default: more than half')
    .option('--certificate-days <days>', 'how long certificates of sites hold', String(CERTIFICATE_DAYS))
    .option(
      '--retention <class=days>',
      'how long entries of the log are kept at least, e.g. hipaa6y=2192; repeatable; without it for ever',
      add,
      [],
    )
    .option(
      '--person <role:id=key>',
      'who acts under an own key, e.g. researcher:r-1=HEX; repeatable',
      add,
      [],
    );
  handles<CreateOptions>(
    command,
    context,
    async ([folder = ''], options) => {
      const terms = parseStrict(termsSchema, termsOf(options), 'the federation', 'E_ARGUMENT');
      await createFederation(new FounderFolder(resolve(folder)), terms);
      const lines = [
        `${terms.federationId} begins in ${resolve(folder)}`,
        'next, once for each site:',
        `  regulon fed invite ${word(folder)} --site NAME --org "THE HOSPITAL" --out NAME.invitation.json`,
      ];
      return { data: terms, lines };
    },
    'files',
  );
}

const add = (value: string, others: readonly string[]): string[] => [...others, value];

function termsOf(options: CreateOptions): unknown {
  const { id, host, controlPort, bulkPort, httpPort, minSites, gamma, signatures, certificateDays } = options;
  const port = (option: string, text: string): number => wholeNumber(option, text, 1, 65_535);
  return {
    schema: 'regulon.federation-terms/1',
    federationId: id,
    coordinator: {
      host,
      controlPort: port('--control-port', controlPort),
      bulkPort: port('--bulk-port', bulkPort),
      httpPort: port('--http-port', httpPort),
    },
    policy: {
      nMin: wholeNumber('--min-sites', minSites, 3, 255),
      gamma: shareOf(gamma),
      ...(options.retention.length > 0 && { retention: options.retention.map(classOf) }),
    },
    k: signatures === undefined ? null : wholeNumber('--signatures', signatures, 1, 255),
    certificateDays: wholeNumber('--certificate-days', certificateDays, 1, 398),
    people: options.person.map(personOf),
  };
}

function shareOf(text: string): Terms['policy']['gamma'] {
  const [, num = '', den = ''] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (num !== '') return { num: Number(num), den: Number(den) };
  throw new RegulonError('E_ARGUMENT', '--gamma: needs a share of two whole numbers', {
    hint: 'e.g. 1/3, or 0/1 when nobody may collude',
  });
}

function classOf(text: string): { class: string; days: number } {
  const [name = '', days = ''] = text.split('=', 2);
  return { class: name, days: wholeNumber('--retention', days, 0, 100_000) };
}

function personOf(text: string): Terms['people'][number] {
  const [, role = '', id = '', key = ''] =
    /^(researcher|auditor|operator):([^=]+)=([0-9a-f]{64})$/.exec(text) ?? [];
  if (role === 'researcher' || role === 'auditor' || role === 'operator') return { role, id, key };
  throw new RegulonError('E_ARGUMENT', '--person: role:id=key with role researcher, auditor or operator', {
    hint: '`regulon fed key FILE` makes a key and prints its public half',
  });
}

function inviteCommand(fed: Command, context: Context): void {
  const command = fed
    .command('invite')
    .description('a file that lets one site ask to join, once')
    .argument('<folder>', 'of the founder')
    .requiredOption('--site <name>', 'lower-case letters, digits and hyphens')
    .requiredOption('--org <text>', 'the hospital')
    .requiredOption('--out <file>', 'where the invitation is written')
    .option('--days <days>', 'until it ends', '14');
  handles<{ site: string; org: string; out: string; days: string }>(
    command,
    context,
    async ([folder = ''], { site, org, out, days }) => {
      verifyWritable(out);
      const invitation = invite(
        new FounderFolder(resolve(folder)),
        { site, org },
        wholeNumber('--days', days, 1, 90),
        new Date(),
      );
      writePrivate(out, invitation);
      const { id, expiresAt, coordinatorKey } = invitation;
      const lines = [
        `${out}  for ${site}, until ${expiresAt}; it holds a secret: send it like a password`,
        `coordinator key  ${fingerprint(coordinatorKey)}: let the hospital compare it by telephone`,
        ...joinLines(out, site),
      ];
      return { data: { id, site, expiresAt, coordinatorKey }, lines };
    },
    'files',
  );
}

function admitCommand(fed: Command, context: Context): void {
  const command = fed
    .command('admit')
    .description('take the requests that sites sent back')
    .argument('<folder>', 'of the founder')
    .argument('<requests...>', 'files of the sites');
  handles(
    command,
    context,
    async ([folder = '', ...files]) => {
      const founder = new FounderFolder(resolve(folder));
      const names = files.map((file) => {
        const request = readJsonFile(file, joinRequestSchema, 'E_ROSTER');
        admit(founder, request, new Date());
        return request.enrolment.name;
      });
      return { data: { admitted: names }, lines: [`admitted ${names.join(', ')}`] };
    },
    'files',
  );
}

function proposeCommand(fed: Command, context: Context): void {
  const command = fed
    .command('propose')
    .description('write the roster that administrators are asked to sign')
    .argument('<folder>', 'of the founder')
    .option('--site <name>', 'who joins, when several were admitted to a federation that stands')
    .option('--signatures <k>', 'then: administrators who must sign the roster after that')
    .requiredOption('--out <file>', 'what goes to every administrator');
  handles<{ site?: string; signatures?: string; out: string }>(
    command,
    context,
    async ([folder = ''], { site, signatures, out }) => {
      verifyWritable(out);
      const founder = new FounderFolder(resolve(folder));
      const options = laterOptions(signatures);
      const change = founder.stands
        ? proposeJoin(founder, site, options)
        : proposeFounding(founder, options.now);
      writeDocument(out, change);
      return stateOf(change, out);
    },
    'files',
  );
}

function collectCommand(fed: Command, context: Context): void {
  const command = fed
    .command('collect')
    .description('take the signatures that came back; writes what is due next')
    .argument('<folder>', 'of the founder')
    .argument('<changes...>', 'files that administrators sent back')
    .requiredOption('--out <file>', 'what goes to every site next');
  handles<{ out: string }>(
    command,
    context,
    async ([folder = '', ...files], { out }) => {
      verifyWritable(out);
      const founder = new FounderFolder(resolve(folder));
      let change = openChange(founder);
      for (const file of files) {
        change = collect(founder, readJsonFile(file, rosterChangeSchema, 'E_ROSTER'), file, new Date());
      }
      if (!isWhole(change)) {
        writeDocument(out, change);
        return stateOf(change, out);
      }
      const federation = await standing(founder, change);
      writeDocument(out, federation);
      const lines = [
        `${change.roster.federationId} stands: ${change.roster.members.length} sites, roster version ${change.roster.version}`,
        `${out}  is what every site installs`,
        ...installLines(out, change.previous === null),
      ];
      return { data: { stands: true, out }, lines };
    },
    'files',
  );
}

/** Put a change in force: found the federation, or take the next roster of one that stands. */
function standing(founder: FounderFolder, change: RosterChange): Promise<FederationFile> {
  if (change.previous === null) return found(founder, change);
  putInForce(founder, change);
  return certify(founder);
}

/** How far a change has come, and what is due. */
function stateOf(change: RosterChange, out: string): CommandResult {
  const { roster, signatures, genesis } = change;
  const { admins, k } = signersOf(change);
  const members = [...(change.previous?.roster.members ?? []), ...roster.members];
  const nameOf = (id: number): string => members.find((member) => member.id === id)?.name ?? '';
  const signed = signatures.map(({ admin }) => nameOf(admins.find(({ id }) => id === admin)?.member ?? 0));
  const whole = genesis?.signatures.length ?? 0;
  const rosterSigned = isRosterSigned(change);
  const due = rosterSigned
    ? `first entry of the log: signed by ${whole} of ${roster.members.length} sites`
    : `roster version ${roster.version}: signed by ${signed.length} of ${k} administrators`;
  const [who, missing] = rosterSigned
    ? ['sites', roster.members.length - whole]
    : ['administrators', k - signed.length];
  const isBegun = signed.length > 0;
  return {
    data: { stands: false, signed, rosterSigned, genesisSignatures: whole, missing, out },
    lines: [
      due,
      ...(isBegun ? [`nothing can be installed yet: ${missing} more of the ${who} must sign`] : []),
      `${out}  goes to the ${who}`,
      ...signLines(out),
    ],
  };
}

function keyCommand(fed: Command, context: Context): void {
  const command = fed
    .command('key')
    .description('make the key of a person, mode 0600, and print its public half')
    .argument('<file>', 'where the key is written; one that exists is only read');
  handles(
    command,
    context,
    async ([file = '']) => {
      if (!existsSync(file)) writeKeyFile(file, `${hex(randomBytes(32))}\n`);
      const key = hex(publicKeyOf(readSeedFile(file)));
      return { data: { key }, lines: [key] };
    },
    'files',
  );
}
