import { join } from 'node:path';
import { auditMigrations, Sequencer } from '@regulon/coordinator/audit';
import { Store } from '@regulon/coordinator/storage';
import { hex } from '@regulon/shared/crypto';
import { isRegulonError } from '@regulon/shared/errors';
import { SampleFederation } from '@regulon/shared/transparency-samples';

/** What the program below says, a line of JSON each. */
export type LogChildLine =
  | { readonly taken: number; readonly hash: string }
  | { readonly published: number; readonly root: string }
  | { readonly refused: string };

const say = (line: LogChildLine): void => console.log(JSON.stringify(line));

/** Bring the policies of three sites into the log of a folder, with a checkpoint after each. */
async function fill(folder: string): Promise<void> {
  const at = new Date(Date.UTC(2026, 10, 20, 10));
  const federation = new SampleFederation(5, () => at);
  const policies = federation.roster.members.slice(0, 3).map(({ name }) => federation.policy(name));
  const migrations = auditMigrations.map((sql, i) => ({ name: `audit-${i}`, sql }));
  const store = Store.open(join(folder, 'state.db'), migrations);
  const { genesisEntry, genesis, logSeed, statementSeed, clock } = federation;
  const log = await Sequencer.open({
    ...{ db: store.raw, folder: join(folder, 'log'), logSeed, statementSeed, now: clock },
    genesis: { entry: genesisEntry, attachments: genesis.attachments },
  });
  for (const { entry, attachment } of policies) {
    const { index, hash } = await log.append(entry, [attachment]);
    say({ taken: index, hash: hex(hash) });
    const { size, root } = await log.checkpoint();
    say({ published: size, root: hex(root) });
  }
  store.close();
}

try {
  await fill(process.argv[2] ?? '.');
} catch (error) {
  const { code } = error as { code?: unknown };
  if (!isRegulonError(error) && !String(code).startsWith('SQLITE_')) throw error;
  say({ refused: String(code) });
  process.exitCode = 1;
}
