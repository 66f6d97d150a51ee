import type { PruneReply } from '@regulon/coordinator/runs';
import { RegulonError } from '@regulon/shared/errors';
import type { Command } from 'commander';
import { wholeNumber } from '../arguments/index.js';
import { pruneCommand } from '../audit/index.js';
import type { CommandResult } from '../output/index.js';
import { type RecordOptions, writes } from './audit-record.js';
import { apiFor } from './connection.js';
import { confirm, type Context, handles } from './context.js';

interface PruneOptions extends RecordOptions {
  readonly below?: string;
  readonly expired: boolean;
}

/** `regulon audit prune`: the first entries of the log go for good; their baseline and hashes stay. */
export function pruneCommands(audit: Command, context: Context): void {
  const command = writes(
    audit
      .command('prune')
      .description('remove the first entries of the log, which have outlived their retention class'),
  )
    .option('--below <index>', 'first entry that stays: the size of a baseline that the sites have signed')
    .option('--expired', 'as far as everything has expired', false);
  handles<PruneOptions>(
    command,
    context,
    async (_, { below: text, expired, ...options }) => {
      if ((text === undefined) !== expired)
        throw new RegulonError('E_ARGUMENT', 'say either --below INDEX or --expired');
      const below = text === undefined ? null : wholeNumber('--below', text, 256, 2 ** 40);
      const isAgreed = async (): Promise<boolean> => {
        if (options.dryRun) return false;
        const which = below === null ? 'all entries that have expired' : `the entries before ${below}`;
        await confirm(context, options, `remove ${which} for good?`);
        return true;
      };
      return pruned(await pruneCommand({ below, api: apiFor(options, context), isAgreed }));
    },
    'federation',
  );
}

function pruned(data: PruneReply | null): CommandResult {
  if (data === null) return { data, lines: ['log.prune: would be written'] };
  const { index, size, removed } = data;
  const end = removed
    ? `the log begins at ${size}`
    : `the entries before ${size} go once the sites have cosigned it`;
  return { data, lines: [`log.prune: entry ${index}, ${end}`] };
}
