import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** Digest over the compiled files of the coordinator: what `software` means in the genesis. @returns 32 bytes */
export function softwareDigest(): Uint8Array {
  const hash = createHash('sha256');
  for (const folder of ['shared', 'coordinator']) {
    const root = join(repository, folder, 'dist');
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
    for (const name of files.filter((file) => file.endsWith('.js')).sort()) {
      hash.update(`${folder}/${name}\0`).update(readFileSync(join(root, name)));
    }
  }
  return new Uint8Array(hash.digest());
}
