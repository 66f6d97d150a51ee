import { RegulonError } from '../../errors/index.js';
import type { FederationKeys, GenesisMember } from '../entries/federation-keys.js';
import { isTilePath } from './tile-paths.js';
import { END_BYTES, readZip, readZipEnd, type ZipContent } from './zip-reader.js';
import { MAX_ZIP_BYTES, writeZip } from './zip-writer.js';

/** Files in a bundle at most. */
const MAX_FILES = 60_000;

const README = `# How to verify this bundle

    regulon audit verify --bundle <this file> --policy quorum.policy

Take \`quorum.policy\` from a site or from your own records, not from this bundle. The first line of the answer says
whether everything holds, or names the first wrong entry. No network is needed. The log is a plain tiled log
(C2SP tlog-tiles): \`checkpoint\`, \`tile/\`; what entries refer to lies in \`attachments/sha256/\`.
`;

const SITE_CHECKPOINT = /^site-checkpoints\/(0|[1-9]\d{0,15})\.note$/;

/** Where the bundle keeps the cosigned checkpoint of this size, which opened the gate of a site. */
export function siteCheckpointPath(size: number): string {
  return `site-checkpoints/${size}.note`;
}

/** Size in the path of a cosigned checkpoint; undefined for other paths. */
export function siteCheckpointSize(path: string): number | undefined {
  const size = SITE_CHECKPOINT.exec(path)?.[1];
  return size === undefined ? undefined : Number(size);
}

/** True for a path that may stand in a bundle. */
function isBundlePath(path: string): boolean {
  return (
    ['checkpoint', 'quorum.policy', 'VERIFY.md'].includes(path) ||
    /^attachments\/sha256\/[0-9a-f]{64}$/.test(path) ||
    /^keys\/[a-z0-9-]{1,100}\.vkey$/.test(path) ||
    SITE_CHECKPOINT.test(path) ||
    isTilePath(path)
  );
}

/**
 * The files of a bundle that follow from entry 0: keys, quorum policy, instructions.
 *
 * @param policy bytes of the quorum policy attachment
 */
export function bundleFiles(
  genesis: FederationKeys['genesis'],
  members: readonly GenesisMember[],
  policy: Uint8Array,
): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>([['quorum.policy', policy]]);
  const text = (path: string, content: string): Map<string, Uint8Array> =>
    files.set(path, new TextEncoder().encode(content));
  text('VERIFY.md', README);
  text('keys/log.vkey', `${genesis.logKey}\n`);
  text('keys/coordinator.vkey', `${genesis.coordinatorKey}\n`);
  for (const { name, statement, cosigner, steward } of members) {
    text(`keys/site-${name}.vkey`, `${statement}\n`);
    text(`keys/cosigner-${name}.vkey`, `${cosigner}\n`);
    text(`keys/steward-${name}.vkey`, `${steward}\n`);
  }
  for (const { id, role, key } of genesis.people) text(`keys/${role}-${id}.vkey`, `${key}\n`);
  return files;
}

/**
 * Refuse a bundle that no reader would take, before any of it is written.
 *
 * @param bytes of its larger files; headers come in addition
 * @throws E_BUNDLE beyond 60,000 files or 4 GiB
 */
export function verifyBundleFits(files: number, bytes: number): void {
  if (files <= MAX_FILES && bytes <= MAX_ZIP_BYTES) return;
  throw new RegulonError(
    'E_BUNDLE',
    `the log gives a bundle of ${files} files and ${bytes} bytes; at most ${MAX_FILES} files and 4 GiB are read`,
    {
      hint: 'prune entries that have outlived their class (`regulon audit prune`), or copy the log folder itself',
    },
  );
}

/** Deterministic archive of a bundle. @throws E_BUNDLE if it is too large */
export function writeBundle(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  return writeZip(files);
}

/** Read a bundle from an untrusted source. @throws E_BUNDLE if it is not one */
export function readBundle(bytes: Uint8Array): ZipContent {
  return readZip(bytes, { maxFiles: MAX_FILES, isAllowed: isBundlePath });
}

/**
 * Let the pieces of a bundle pass, and see at its end that it is whole; what is in it a verification judges.
 *
 * @param whole is given the number of its files
 * @throws E_BUNDLE after the last piece, if it is no archive or was cut off
 */
export async function* wholeBundle(
  pieces: AsyncIterable<Uint8Array>,
  whole: (files: number) => void,
): AsyncGenerator<Uint8Array> {
  let [tail, size]: [Uint8Array, number] = [new Uint8Array(0), 0];
  for await (const piece of pieces) {
    size += piece.length;
    tail = Uint8Array.from([...tail, ...piece.subarray(-END_BYTES)]).slice(-END_BYTES);
    yield piece;
  }
  whole(readZipEnd(tail, size).count);
}
