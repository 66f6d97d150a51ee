import { equalBytes, publicKeyOf } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { type FederationKeys, parseVkey } from '@regulon/shared/transparency';

/** Check that the coordinator holds the keys that entry 0 names. @throws E_CONFIG naming the key */
export function checkOwnKeys(
  keys: FederationKeys,
  seeds: { readonly logSeed: Uint8Array; readonly statementSeed: Uint8Array },
): void {
  const statement = parseVkey(keys.genesis.coordinatorKey).publicKey;
  if (!equalBytes(publicKeyOf(seeds.logSeed), keys.logKey.publicKey)) {
    throw new RegulonError('E_CONFIG', 'the log key is not the one of the genesis');
  }
  if (!equalBytes(publicKeyOf(seeds.statementSeed), statement)) {
    throw new RegulonError('E_CONFIG', 'the statement key of the coordinator is not the one of the genesis');
  }
}
