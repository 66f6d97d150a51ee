import {
  assembleEntry,
  type EntrySignature,
  openEntry,
  signPayload,
  statementKeyName,
} from '@regulon/shared/transparency';

/**
 * Entry 0 with the signatures of the coordinator and of every founding site.
 *
 * @param statement seed of the coordinator's statement key
 * @throws E_LOG_ENTRY when a site's signature is missing or does not verify
 */
export function sealGenesis(
  { payload, origin }: { readonly payload: Uint8Array; readonly origin: string },
  statement: Uint8Array,
  signatures: readonly EntrySignature[],
): Uint8Array {
  const keyName = statementKeyName(origin, 'coordinator', 'coordinator');
  const entry = assembleEntry(payload, [signPayload(payload, { keyName, seed: statement }), ...signatures]);
  openEntry(entry, undefined);
  return entry;
}
