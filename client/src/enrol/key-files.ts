import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fromHex, hex, publicKeyOf, randomBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';

/** Where the keys of a site lie, inside its state folder. */
export const keyPathsOf = (folder: string) => {
  const keys = join(folder, 'keys');
  return {
    folder: keys,
    /** Ed25519 seed of the identity key IK, 64 hexadecimal digits */
    identity: join(keys, 'identity.key'),
    /** Ed25519 seed that signs cosignatures and nothing else */
    cosigner: join(keys, 'cosigner.key'),
    /** private key of the TLS certificate, PKCS#8 PEM */
    tls: join(keys, 'tls.key.pem'),
  };
};

/** The seeds a daemon signs with, 32 bytes each. */
export interface SiteKeys {
  readonly identity: Uint8Array;
  readonly cosigner: Uint8Array;
}

/** Make a folder that only its owner can enter. @throws E_KEY_FILE when an existing one is open to others */
export function privateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if ((statSync(path).mode & 0o077) !== 0) {
    throw new RegulonError('E_KEY_FILE', `${path} is open to others (mode ${modeOf(path)})`, {
      hint: `chmod 700 ${path}`,
    });
  }
}

/** Write a new secret file with mode 0600, durable on return. @throws E_KEY_FILE when it exists already */
export function writeKeyFile(path: string, content: string): void {
  if (existsSync(path)) {
    throw new RegulonError('E_KEY_FILE', `${path} exists already`, {
      hint: 'enrol into an empty folder, or keep the existing keys',
    });
  }
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Read a secret file that nobody but its owner can read. @throws E_KEY_FILE */
export function readKeyFile(path: string): string {
  if (!existsSync(path)) {
    throw new RegulonError('E_KEY_FILE', `${path} is missing`, {
      hint: 'check the path; a site gets its keys by `regulon site join`',
    });
  }
  verifyOwnOnly(path);
  return readFileSync(path, 'utf8').trim();
}

/** @throws E_KEY_FILE when a file is none, or others can read it; the system's error when it is missing */
export function verifyOwnOnly(path: string): void {
  const stat = statSync(path);
  if (stat.isFile() && (stat.mode & 0o077) === 0) return;
  throw new RegulonError('E_KEY_FILE', `${path} is open to others (mode ${modeOf(path)})`, {
    hint: `chmod 600 ${path}`,
  });
}

/** Make and write a fresh 32-byte seed. @returns its Ed25519 public key */
export function createSeedFile(path: string): Uint8Array {
  const seed = randomBytes(32);
  writeKeyFile(path, `${hex(seed)}\n`);
  return publicKeyOf(seed);
}

/** Read a 32-byte seed. @throws E_KEY_FILE when the file is open to others or not a seed */
export function readSeedFile(path: string): Uint8Array {
  const text = readKeyFile(path);
  if (!/^[0-9a-f]{64}$/.test(text)) throw new RegulonError('E_KEY_FILE', `${path} is not a 32-byte seed`);
  return fromHex(text, 32);
}

/** The seeds of a site. @throws E_KEY_FILE when a file is open to others or one key has two roles */
export function loadSiteKeys(folder: string): SiteKeys {
  const paths = keyPathsOf(folder);
  privateFolder(paths.folder);
  const keys = { identity: readSeedFile(paths.identity), cosigner: readSeedFile(paths.cosigner) };
  if (hex(keys.identity) === hex(keys.cosigner)) {
    throw new RegulonError('E_KEY_FILE', 'the identity key and the cosigner key are the same key');
  }
  return keys;
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8).padStart(4, '0');
}
