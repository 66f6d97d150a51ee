import { canonicalJsonBytes, concatBytes, hex, randomBytes, sha256, utf8 } from '@regulon/shared/crypto';
import { type BodyOf, digestText, parseEntry } from '@regulon/shared/transparency';
import type { Outbox, OutboxRow, SiteState } from '../state/index.js';

/**
 * Digest of a site's configuration under the salt of the site: what stands in it cannot be guessed from the log.
 *
 * @param configuration JSON @param salt 32 bytes that stay at the site
 */
export function configurationDigest(configuration: unknown, salt: Uint8Array): string {
  const json: unknown = JSON.parse(JSON.stringify(configuration));
  return digestText(sha256(concatBytes(utf8('regulon/configuration/v1'), salt, canonicalJsonBytes(json))));
}

/**
 * Log that a process starts, and before that, in the same transaction, that it runs under another configuration than the
 * site stated last.
 *
 * @returns the entry `config.start`
 */
export function appendStart(
  state: Pick<SiteState, 'transact'>,
  outbox: Outbox,
  { version, configuration }: { readonly version: string; readonly configuration: string },
): OutboxRow {
  return state.transact('outbox', () => {
    const before = statedIn(outbox.lastOf('config.start', 'config.change'));
    if (before !== null && before !== configuration)
      outbox.append('config.change', {}, { before, after: configuration });
    const body: BodyOf<'config.start'> = {
      ...{ nonce: hex(randomBytes(32)), version, software: null, configuration },
    };
    return outbox.append('config.start', {}, body);
  });
}

/** The configuration that an entry states. */
function statedIn(row: OutboxRow | undefined): string | null {
  const entry = row && parseEntry(row.bytes);
  if (entry?.kind === 'config.start') return entry.body.configuration;
  return entry?.kind === 'config.change' ? entry.body.after : null;
}
