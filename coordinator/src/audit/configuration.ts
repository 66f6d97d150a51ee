import { canonicalJsonBytes, concatBytes, hkdf, sha256, utf8 } from '@regulon/shared/crypto';
import { digestText, parseEntry } from '@regulon/shared/transparency';
import type { Sequencer } from './sequencer.js';

/**
 * Digest of a configuration under a salt of the coordinator: what stands in it cannot be guessed from the log.
 *
 * @param configuration JSON
 * @param statementSeed of the coordinator, 32 bytes
 */
export function configurationDigest(configuration: unknown, statementSeed: Uint8Array): string {
  const salt = hkdf(statementSeed, new Uint8Array(32), utf8('regulon/configuration/v1'), 32);
  const json: unknown = JSON.parse(JSON.stringify(configuration));
  return digestText(sha256(concatBytes(salt, canonicalJsonBytes(json))));
}

/** Write `config.change` when the coordinator last stated another configuration, or none. */
export function stateConfiguration(
  log: Pick<Sequencer, 'indexesOfKind' | 'entry' | 'appendOwn' | 'prunedConfiguration'>,
  after: string,
): void {
  const own = log
    .indexesOfKind('config.change')
    .map((index) => parseEntry(log.entry(index)))
    .filter(({ actor }) => actor.type === 'coordinator')
    .at(-1);
  const before = own?.kind === 'config.change' ? own.body.after : log.prunedConfiguration;
  if (before !== after) log.appendOwn({ kind: 'config.change', body: { before, after } });
}
