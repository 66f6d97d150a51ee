import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { type Accelerator, MAX_WHEEL_BYTES, type PinnedWheel } from './catalogue.js';

/** Where a site wants its library from; with neither, the machine's own pip is asked. */
export interface Source {
  /** a wheel, or a folder that holds it */
  readonly from?: string;
  /** address of a package index with the simple interface (PEP 503): PyPI's, or a mirror's */
  readonly index?: string;
}

/** A wheel as it came, its digest not yet compared. */
export interface FetchedWheel {
  readonly file: string;
  readonly bytes: Uint8Array;
  /** SHA-256, hexadecimal */
  readonly sha256: string;
  /** where it came from, for people */
  readonly from: string;
}

const TIMEOUT_MS = 120_000;
const MAX_PAGE_BYTES = 16 << 20;

/**
 * Bring the wheel of this machine.
 *
 * @param scratch folder for what pip writes; removed by the caller
 * @throws E_ARGUMENT when a named file is not there; E_CONNECTION when index or pip do not answer; E_NOT_FOUND when they
 *   do not hold the file; E_DIGEST when it is too large
 */
export async function fetchWheel(
  accelerator: Accelerator,
  pinned: PinnedWheel,
  source: Source,
  scratch: string,
): Promise<FetchedWheel> {
  if (source.from !== undefined) return fromPath(source.from, pinned);
  if (source.index !== undefined) return fromIndex(source.index, accelerator, pinned);
  return fromPip(accelerator, pinned, scratch);
}

async function fromPath(from: string, pinned: PinnedWheel): Promise<FetchedWheel> {
  try {
    const file = (await stat(from)).isDirectory() ? path.join(from, pinned.file) : from;
    return wheelOf(path.basename(file), await readLimited(file), file);
  } catch (cause) {
    if (isRegulonError(cause)) throw cause;
    throw new RegulonError('E_ARGUMENT', `--from: ${from} cannot be read, or does not hold ${pinned.file}`, {
      cause,
      hint: `bring ${pinned.file} to this machine and name it, or its folder`,
    });
  }
}

async function readLimited(file: string): Promise<Uint8Array> {
  if ((await stat(file)).size > MAX_WHEEL_BYTES) throw tooLarge(file);
  return readFile(file);
}

async function fromIndex(
  index: string,
  { project }: Accelerator,
  pinned: PinnedWheel,
): Promise<FetchedWheel> {
  const page = await download(pageAddress(index, project), MAX_PAGE_BYTES);
  const text = new TextDecoder().decode(page.bytes);
  const links = [...text.matchAll(/<a\s[^>]*?href\s*=\s*["']([^"']+)["']/gi)].map(
    ([, href = '']) => new URL(href.replaceAll('&amp;', '&'), page.address),
  );
  const link = links.find(
    ({ pathname }) => decodeURIComponent(path.posix.basename(pathname)) === pinned.file,
  );
  if (!link) {
    throw new RegulonError('E_NOT_FOUND', `${page.address} does not hold ${pinned.file}`, {
      hint: 'mirror that file, or bring it here and name it with --from',
    });
  }
  link.hash = '';
  return wheelOf(pinned.file, (await download(link, MAX_WHEEL_BYTES)).bytes, link.href);
}

function pageAddress(index: string, project: string): URL {
  try {
    const address = new URL(`${index.replace(/\/+$/, '')}/${project}/`);
    if (/^https?:$/.test(address.protocol)) return address;
  } catch {
    // not an address at all: as one with another scheme
  }
  throw new RegulonError('E_ARGUMENT', `--index: ${index} is no address of a package index`, {
    hint: 'as in https://mirror.example/simple; a folder is named with --from',
  });
}

async function download(address: URL, most: number): Promise<{ address: string; bytes: Uint8Array }> {
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok || !response.body) {
      throw new RegulonError('E_CONNECTION', `${address.href} answers ${response.status}`);
    }
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of response.body as AsyncIterable<Uint8Array>) {
      size += piece.length;
      if (size > most) throw tooLarge(address.href);
      pieces.push(piece);
    }
    return { address: response.url, bytes: Buffer.concat(pieces) };
  } catch (cause) {
    if (isRegulonError(cause)) throw cause;
    throw new RegulonError('E_CONNECTION', `${address.href} does not answer`, {
      cause,
      hint: 'behind a proxy let pip fetch it (no --index), or bring the file here and name it with --from',
    });
  }
}

/** pip knows the machine's proxy, certificates and mirror. */
async function fromPip(
  { project, version }: Accelerator,
  pinned: PinnedWheel,
  scratch: string,
): Promise<FetchedWheel> {
  const into = await mkdtemp(path.join(scratch, 'pip-'));
  const wanted = ['download', '--no-deps', '--only-binary=:all:', '--dest', into, `${project}==${version}`];
  try {
    await promisify(execFile)('pip', ['--disable-pip-version-check', '--no-input', ...wanted], {
      timeout: TIMEOUT_MS,
      maxBuffer: 16 << 20,
    });
    return wheelOf(pinned.file, await readLimited(path.join(into, pinned.file)), 'pip');
  } catch (cause) {
    if (isRegulonError(cause)) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new RegulonError(
      'E_CONNECTION',
      missing ? 'there is no pip on this machine' : `pip brought no ${pinned.file}`,
      { cause, hint: 'name a package index (--index URL), or bring the file here and name it (--from FILE)' },
    );
  } finally {
    await rm(into, { recursive: true, force: true });
  }
}

function wheelOf(file: string, bytes: Uint8Array, from: string): FetchedWheel {
  return { file, bytes, sha256: createHash('sha256').update(bytes).digest('hex'), from };
}

function tooLarge(what: string): RegulonError {
  return new RegulonError('E_DIGEST', `${what} is larger than ${MAX_WHEEL_BYTES >> 20} MiB: not the library`);
}
