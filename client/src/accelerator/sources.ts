import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { diskError } from '../state/index.js';
import { MAX_FETCHED_BYTES } from './catalogue.js';
import { indexAddressOf } from './package-index.js';
import type { PinnedFile } from './pinned-file.js';

/** Where a site wants its library from; with neither, the machine's own pip and npm are asked. */
export interface Source {
  /** a folder that holds the files, or the one file itself */
  readonly from?: string;
  /** address of a package index with the simple interface (PEP 503): PyPI's, or a mirror's */
  readonly index?: string;
}

/** A file as it came, its digest not yet compared. */
export interface FetchedFile {
  /** name under which it was published, or under which it was brought */
  readonly file: string;
  /** where it lies now */
  readonly path: string;
  /** SHA-256, hexadecimal */
  readonly sha256: string;
  /** where it came from, for people */
  readonly from: string;
}

const TIMEOUT_MS = 1_800_000;

/**
 * Bring a file to this machine.
 *
 * @param scratch folder that it is put into; removed by the caller
 * @throws E_ARGUMENT when a named file is not there; E_CONNECTION when index, pip or npm do not answer; E_NOT_FOUND when
 *   they do not hold the file; E_DIGEST when it is too large
 */
export async function fetchFile(pinned: PinnedFile, source: Source, scratch: string): Promise<FetchedFile> {
  if (source.from !== undefined) return fromPath(source.from, pinned, scratch);
  if (source.index !== undefined && pinned.registry === 'pypi')
    return fromIndex(source.index, pinned, scratch);
  return fromClient(pinned, scratch);
}

/**
 * A folder that lacks files says so of all of them, before gigabytes are copied.
 *
 * @throws E_ARGUMENT naming each file
 */
export async function verifyFolder(wanted: readonly PinnedFile[], { from }: Source): Promise<void> {
  // what cannot be listed is a file, or told by the first fetch
  const names = from === undefined ? null : await readdir(from).catch(() => null);
  const missing = names === null ? [] : wanted.filter(({ file }) => !names.includes(file));
  if (missing.length === 0) return;
  const list = missing.map(({ file }) => file).join(', ');
  const clients = new Set(missing.map(({ registry }) => CLIENT_OF[registry]));
  throw new RegulonError('E_ARGUMENT', `--from: ${from} does not hold ${list}`, {
    hint: `bring ${missing.length === 1 ? 'it' : `these ${missing.length}`} there as published (${[...clients].join(', ')})`,
  });
}

const CLIENT_OF: Readonly<Record<PinnedFile['registry'], string>> = {
  pypi: 'pip download --no-deps',
  npm: 'npm pack',
};

async function fromPath(from: string, pinned: PinnedFile, scratch: string): Promise<FetchedFile> {
  try {
    const source = (await stat(from)).isDirectory() ? path.join(from, pinned.file) : from;
    return await keep(createReadStream(source), { file: path.basename(source), from: source }, scratch);
  } catch (cause) {
    if (isRegulonError(cause)) throw cause;
    throw new RegulonError('E_ARGUMENT', `--from: ${from} cannot be read, or does not hold ${pinned.file}`, {
      cause,
      hint: `bring ${pinned.file} to this machine and name it, or its folder`,
    });
  }
}

async function fromIndex(index: string, pinned: PinnedFile, scratch: string): Promise<FetchedFile> {
  const address = await indexAddressOf(index, pinned);
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok || !response.body) {
      throw new RegulonError('E_CONNECTION', `${address.href} answers ${response.status}`);
    }
    const body = Readable.fromWeb(response.body);
    return await keep(body, { file: pinned.file, from: address.href }, scratch);
  } catch (cause) {
    if (isRegulonError(cause)) throw cause;
    throw new RegulonError('E_CONNECTION', `${address.href} does not answer`, { cause });
  }
}

/** pip and npm know the machine's proxy, certificates and mirrors. */
async function fromClient(pinned: PinnedFile, scratch: string): Promise<FetchedFile> {
  const client = pinned.registry === 'pypi' ? 'pip' : 'npm';
  const into = await mkdtemp(path.join(scratch, `${client}-`));
  try {
    await promisify(execFile)(
      client,
      client === 'pip' ? pipArguments(pinned, into) : npmArguments(pinned, into),
      {
        timeout: TIMEOUT_MS,
        maxBuffer: 16 << 20,
      },
    );
    const brought = createReadStream(path.join(into, pinned.file));
    return await keep(brought, { file: pinned.file, from: client }, scratch);
  } catch (cause) {
    if (isRegulonError(cause)) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT' && 'syscall' in (cause as object);
    const why = missing && String((cause as NodeJS.ErrnoException).syscall).startsWith('spawn');
    throw new RegulonError(
      'E_CONNECTION',
      why ? `there is no ${client} on this machine` : `${client} brought no ${pinned.file}`,
      {
        cause,
        hint: 'name a package index (--index URL), or bring the files here and name their folder (--from DIR)',
      },
    );
  } finally {
    await rm(into, { recursive: true, force: true });
  }
}

/** The wheel's own tags, since the machine's Python may be another one, and needs none of it. */
function pipArguments({ project, version, file }: PinnedFile, into: string): string[] {
  const [python = '', abi = '', platforms = ''] = file
    .replace(/\.whl$/, '')
    .split('-')
    .slice(-3);
  const tags = python === 'py3' ? [] : ['--python-version', python.replace(/^cp3/, '3.'), '--abi', abi];
  return [
    ...['--disable-pip-version-check', '--no-input', 'download', '--no-deps', '--only-binary=:all:'],
    ...[...tags, ...platforms.split('.').flatMap((platform) => ['--platform', platform])],
    ...['--dest', into, `${project}==${version}`],
  ];
}

function npmArguments({ project, version }: PinnedFile, into: string): string[] {
  return ['pack', '--silent', '--ignore-scripts', '--pack-destination', into, `${project}@${version}`];
}

/** Write what comes, and digest it on the way. @throws E_DIGEST when it is too large; E_DISK_FULL */
async function keep(
  source: Readable,
  { file, from }: Pick<FetchedFile, 'file' | 'from'>,
  scratch: string,
): Promise<FetchedFile> {
  const hash = createHash('sha256');
  const target = path.join(scratch, file);
  let size = 0;
  const digested = async function* (pieces: AsyncIterable<Buffer>) {
    for await (const piece of pieces) {
      size += piece.length;
      if (size > MAX_FETCHED_BYTES)
        throw new RegulonError(
          'E_DIGEST',
          `${file} is larger than ${MAX_FETCHED_BYTES >> 20} MiB: not the library`,
        );
      hash.update(piece);
      yield piece;
    }
  };
  await pipeline(source, digested, createWriteStream(target, { mode: 0o600, flags: 'wx' })).catch(
    (error: unknown) => {
      throw diskError('the accelerator', error);
    },
  );
  return { file, path: target, sha256: hash.digest('hex'), from };
}
