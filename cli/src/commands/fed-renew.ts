import { renewalSchema } from '@regulon/shared/plan';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { certify, FounderFolder, rosterInForce, takeRenewal, writeDocument } from '../enrolment/index.js';
import { readJsonFile, verifyWritable } from '../files/index.js';
import { type Context, handles } from './context.js';
import { installLines } from './hand-over.js';

/** `regulon fed renew`: certificates before the old ones end. */
export function renewalsCommand(fed: Command, context: Context): void {
  const command = fed
    .command('renew')
    .description('new certificates for the coordinator and every site; the roster stays')
    .argument('<folder>', 'of the founder')
    .argument('[renewals...]', 'files of sites that changed their TLS key')
    .requiredOption('--out <file>', 'what goes to every site');
  handles<{ out: string }>(
    command,
    context,
    async ([folder = '', ...files], { out }) => {
      verifyWritable(out);
      const founder = new FounderFolder(resolve(folder));
      const { roster } = rosterInForce(founder);
      const renewals = files.map((file) => readJsonFile(file, renewalSchema, 'E_ROSTER'));
      renewals.forEach((renewal) => takeRenewal(founder, renewal, roster, Date.now()));
      writeDocument(out, await certify(founder));
      const lines = [
        `certificates of ${roster.members.length} sites, ${renewals.length} of them for a new key; restart the coordinator`,
        `${out}  goes to every site`,
        ...installLines(out, false),
      ];
      return { data: { renewed: renewals.map(({ site }) => site), out }, lines };
    },
    'files',
  );
}
