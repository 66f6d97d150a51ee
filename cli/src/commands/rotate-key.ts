import { resolve } from 'node:path';
import { Argument, type Command, Option } from 'commander';
import {
  digestOfRoster,
  fingerprint,
  FounderFolder,
  keyPathIn,
  keyRotationSchema,
  nextKeyOf,
  proposeRotation,
  ROTATED_ROLES,
  type RotatedRole,
  rotateKey,
  SiteFolder,
  writeDocument,
} from '../enrolment/index.js';
import { readJsonFile, verifyWritable } from '../files/index.js';
import { type Context, handles } from './context.js';
import { signLines } from './hand-over.js';

/** `regulon site rotate-key`: a site makes a new key, and lets the old one hand over to it. */
export function siteRotateCommand(site: Command, context: Context): void {
  const command = site
    .command('rotate-key')
    .description('make a new key beside the one in service, and ask that the roster lists it')
    .addArgument(new Argument('<role>', 'whose key').choices([...ROTATED_ROLES]))
    .requiredOption('--folder <dir>', 'of the site')
    .option('--key <file>', 'of steward or administrator; default: the one that `site join` made')
    .requiredOption('--out <file>', 'what goes to the founder');
  handles<{ folder: string; key?: string; out: string }>(
    command,
    context,
    async ([role = ''], { folder, key, out }) => {
      verifyWritable(out);
      const place = new SiteFolder(resolve(folder));
      const rotation = rotateKey(place, role as RotatedRole, key);
      writeDocument(out, rotation);
      const next = nextKeyOf(keyPathIn(place, rotation.site, rotation.role, key));
      const lines = [
        `new ${rotation.role} key  ${fingerprint(rotation.key)}: tell the other hospitals by telephone`,
        key === undefined
          ? `${next}  goes into service with \`regulon site install\``
          : `${next}  put it in the place of ${key} when the roster that lists it is installed`,
        `${out}  goes to the founder`,
      ];
      return { data: { site: rotation.site, role: rotation.role, key: rotation.key, out }, lines };
    },
    'files',
  );
}

/** `regulon fed rotate-key`: the roster in which a member's key is exchanged. */
export function fedRotateCommand(fed: Command, context: Context): void {
  const command = fed
    .command('rotate-key')
    .description('write the roster in which a key of a member is exchanged; administrators sign it')
    .argument('<folder>', 'of the founder')
    .argument('<rotation>', 'file of the site')
    .addOption(
      new Option('--reason <reason>', 'stands in the log')
        .choices(['routine', 'compromised'])
        .default('routine'),
    )
    .requiredOption('--out <file>', 'what goes to every administrator');
  handles<{ reason: 'routine' | 'compromised'; out: string }>(
    command,
    context,
    async ([folder = '', file = ''], { reason, out }) => {
      verifyWritable(out);
      const rotation = readJsonFile(file, keyRotationSchema, 'E_ROSTER');
      const change = proposeRotation(new FounderFolder(resolve(folder)), rotation, reason);
      writeDocument(out, change);
      const { version } = change.roster;
      const { site, role } = rotation;
      const lines = [
        `roster version ${version}, another ${role} key of ${site}: ${digestOfRoster(change.roster)}`,
        `${out}  goes to the sites, an administrator of ${site} must be among those who sign`,
        ...signLines(out),
      ];
      return { data: { version, site, role, reason, out }, lines };
    },
    'files',
  );
}
