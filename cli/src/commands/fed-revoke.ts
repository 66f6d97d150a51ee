import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { wholeNumber } from '../arguments/index.js';
import {
  type ChangeOptions,
  digestOfRoster,
  FounderFolder,
  proposeRevoke,
  writeDocument,
} from '../enrolment/index.js';
import { verifyWritable } from '../files/index.js';
import { type Context, handles } from './context.js';
import { signLines } from './hand-over.js';

const REASONS = ['left', 'compromised', 'lost', 'misconduct'] as const;

interface RevokeOptions {
  readonly site: string;
  readonly reason: (typeof REASONS)[number];
  readonly signatures?: string;
  readonly out: string;
}

/** What `--signatures` says of a roster that follows another. */
export const laterOptions = (signatures: string | undefined): ChangeOptions => ({
  now: new Date(),
  ...(signatures !== undefined && { k: wholeNumber('--signatures', signatures, 1, 255) }),
});

/** `regulon fed revoke`: a site is no member any more. */
export function revokeCommand(fed: Command, context: Context): void {
  const command = fed
    .command('revoke')
    .description('write the roster that a site has left; administrators sign it')
    .argument('<folder>', 'of the founder')
    .requiredOption('--site <name>', 'who leaves')
    .addOption(new Option('--reason <reason>', 'stands in the log').choices(REASONS).makeOptionMandatory())
    .option('--signatures <k>', 'administrators who must sign the roster after that')
    .requiredOption('--out <file>', 'what goes to every administrator');
  handles<RevokeOptions>(
    command,
    context,
    async ([folder = ''], { site, reason, signatures, out }) => {
      verifyWritable(out);
      const change = proposeRevoke(
        new FounderFolder(resolve(folder)),
        site,
        reason,
        laterOptions(signatures),
      );
      writeDocument(out, change);
      const { version } = change.roster;
      const lines = [
        `roster version ${version}, without ${site}: ${digestOfRoster(change.roster)}`,
        `${out}  goes to the sites`,
        ...signLines(out),
      ];
      return { data: { version, site, reason, out }, lines };
    },
    'files',
  );
}
