import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { concatBytes, fromHex, hex, randomBytes, secretboxOpen, secretboxSeal } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { readKeyFile, writeKeyFile } from '../enrol/index.js';

const NONCE = 24;

/** Seals secrets at rest under a key that lies outside the database, each time with a random nonce. */
export class Sealing {
  private constructor(private readonly key: Uint8Array) {}

  /**
   * Read the sealing key, or make one for a new site.
   *
   * @param fresh true when the database holds nothing yet
   * @throws E_QUARANTINE when the key is gone while the database holds sealed secrets
   */
  static open(anchor: string, fresh: boolean): Sealing {
    const path = join(anchor, 'sealing.key');
    if (!existsSync(path)) {
      if (!fresh) {
        throw new RegulonError(
          'E_QUARANTINE',
          'the sealing key is missing while the state of this site is not new',
        );
      }
      writeKeyFile(path, `${hex(randomBytes(32))}\n`);
    }
    return new Sealing(fromHex(readKeyFile(path), 32));
  }

  /** @returns nonce ‖ box, 40 bytes longer than the secret */
  seal(secret: Uint8Array): Uint8Array {
    const nonce = randomBytes(NONCE);
    return concatBytes(nonce, secretboxSeal(secret, nonce, this.key));
  }

  /** @throws E_SEAL when the bytes were changed or sealed under another key */
  open(sealed: Uint8Array): Uint8Array {
    return secretboxOpen(sealed.slice(NONCE), sealed.slice(0, NONCE), this.key);
  }
}
