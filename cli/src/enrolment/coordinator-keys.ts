import { join } from 'node:path';
import { readSeedFile, writeKeyFile } from '@regulon/client/enrol';
import { hex, randomBytes } from '@regulon/shared/crypto';

/** Seeds of the coordinator, 32 bytes each: its statement key CK, and the key that signs checkpoints. */
export interface CoordinatorSeeds {
  readonly statement: Uint8Array;
  readonly log: Uint8Array;
}

/**
 * New keys of a coordinator, each in its file, and the bearer token of its REST API.
 *
 * @param folder of the coordinator, exists
 * @throws E_KEY_FILE when there are keys already
 */
export function makeCoordinatorKeys(folder: string): CoordinatorSeeds & { readonly token: string } {
  const keys = { statement: randomBytes(32), log: randomBytes(32), token: hex(randomBytes(32)) };
  writeKeyFile(join(folder, 'statement.key'), `${hex(keys.statement)}\n`);
  writeKeyFile(join(folder, 'log.key'), `${hex(keys.log)}\n`);
  writeKeyFile(join(folder, 'token'), `${keys.token}\n`);
  return keys;
}

/** The seeds that were written earlier. @throws E_KEY_FILE */
export function readCoordinatorSeeds(folder: string): CoordinatorSeeds {
  return {
    statement: readSeedFile(join(folder, 'statement.key')),
    log: readSeedFile(join(folder, 'log.key')),
  };
}
