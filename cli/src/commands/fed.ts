import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { readSeedFile, writeKeyFile } from '@regulon/client/enrol';
import { hex, publicKeyOf, randomBytes } from '@regulon/shared/crypto';
import { wholeNumber } from '../arguments/index.js';
import {
  admit,
  certify,
  collect,
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
  writeDocument,
  writePrivate,
} from '../enrolment/index.js';
import { readJsonFile, verifyWritable } from '../files/index.js';
import type { CommandResult } from '../output/index.js';
import { type Context, handles } from './context.js';
import { createCommand } from './fed-create.js';
import { membersCommand } from './fed-members.js';
import { installLines, joinLines, signLines } from './hand-over.js';
import { laterOptions, revokeCommand } from './fed-revoke.js';
import { renewalsCommand } from './fed-renew.js';
import { fedRotateCommand } from './rotate-key.js';

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
