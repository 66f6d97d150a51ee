import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { diskError } from '../state/index.js';
import { digestOfFile, type InstalledRecord, RECORD_FILE, Trainer } from '../training/index.js';
import { type Accelerator, acceleratorOf, packageFor } from './catalogue.js';
import { folderOf, type Installed, installedIn } from './installed.js';
import { unpackAccelerator } from './layout.js';
import type { PinnedFile } from './pinned-file.js';
import { type FetchedFile, fetchFile, type Source, verifyFolder } from './sources.js';

/**
 * Name of what is not yet installed, before the number of the process that installs it; what an interrupted installation
 * left is removed by the next one.
 */
const NEW = '.new-';
const SCRATCH = /^\.new-(?:(\d{1,10})-)?/;

/** Starts a training process with the library and asks for its self-test. */
export type Probe = (acceleratorFolder: string, name: Accelerator['name']) => Promise<Tested>;

/** What the training process says of a library. */
export interface Tested {
  readonly selfTestDigest: string;
  readonly selfTestMilliseconds: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly cpu: string;
}

export interface InstallRequest {
  readonly name: string;
  /** the accelerator folder of the site */
  readonly folder: string;
  readonly source: Source;
  /** digest of a file that this version of Regulon does not know, hexadecimal: the site answers for it */
  readonly sha256?: string;
  /** an addon for libtensorflow that was built elsewhere; without it one is compiled */
  readonly addon?: string;
  readonly say: (line: string) => void;
  /** replaced in tests */
  readonly probe?: Probe;
  /** whether a driver for NVIDIA's GPUs is there; replaced in tests */
  readonly seesDevice?: () => boolean;
}

export interface InstallOutcome {
  /** false when that version was there, unchanged */
  readonly changed: boolean;
  readonly record: InstalledRecord;
  readonly folder: string;
  readonly tested: Tested;
}

/**
 * Install a library for training: fetch, compare digests, unpack, test, and only then put it in place.
 *
 * @throws E_DIGEST when the file is another one; E_BACKEND when training with it is wrong; errors of the sources.
 *   Whatever is thrown, what was installed before still is, and nothing half-written stays
 */
export async function install(request: InstallRequest): Promise<InstallOutcome> {
  const { folder, probe = testInstalled } = request;
  const accelerator = acceleratorOf(request.name);
  const wanted = wantedFiles(request, accelerator);
  const present = await presentOf(folder, accelerator, wanted);
  if (present?.record && request.addon === undefined) {
    request.say(`${accelerator.name} ${present.version} is installed and intact; testing it`);
    const tested = await probe(folder, accelerator.name);
    return { changed: false, record: present.record, folder: present.folder, tested };
  }
  verifyDevice(request, accelerator);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await removeLeftovers(folder);
    const scratch = await mkdtemp(path.join(folder, `${NEW}${process.pid}-`));
    try {
      return await installFrom(scratch, accelerator, wanted, { ...request, probe });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  } catch (error) {
    throw diskError('the accelerator', error);
  }
}

/** Device files of NVIDIA's driver on Linux, and of Windows' under WSL. */
const DEVICES = ['/dev/nvidiactl', '/dev/dxg'];

/** The self-test would say so too, behind gigabytes. @throws E_BACKEND where no driver answers */
function verifyDevice(
  { seesDevice = () => DEVICES.some((path) => existsSync(path)) }: InstallRequest,
  { name }: Accelerator,
): void {
  if (name !== 'gpu' || seesDevice()) return;
  throw new RegulonError(
    'E_BACKEND',
    'gpu: no driver for an NVIDIA GPU on this machine; nothing was fetched',
    {
      hint: `install NVIDIA's driver first (${DEVICES[0]} must be there); the CPU trains without: accelerator install blas`,
    },
  );
}

/** @throws E_ARGUMENT when one digest is to stand for several files */
function wantedFiles({ sha256 }: InstallRequest, accelerator: Accelerator): PinnedFile[] {
  const { files } = packageFor(accelerator);
  if (sha256 === undefined) return [...files];
  if (files.length > 1)
    throw new RegulonError('E_ARGUMENT', `--sha256: ${accelerator.name} consists of ${files.length} files`, {
      hint: 'install the pinned ones',
    });
  return [{ ...files[0], sha256 }];
}

async function presentOf(
  folder: string,
  { name }: Accelerator,
  wanted: readonly PinnedFile[],
): Promise<Installed | undefined> {
  const digests = wanted.map(({ sha256 }) => sha256);
  const installed = await installedIn(folder);
  return installed.find((found) => {
    const sources = Object.values(found.record?.sources ?? {});
    return found.name === name && found.intact && digests.every((digest) => sources.includes(digest));
  });
}

async function installFrom(
  scratch: string,
  accelerator: Accelerator,
  wanted: readonly PinnedFile[],
  { folder, source, addon, say, probe = testInstalled }: InstallRequest,
): Promise<InstallOutcome> {
  const fetched = await fetchAll(wanted, source, scratch, say);
  const isPinned = packageFor(accelerator).files.every(({ sha256 }, i) => fetched[i]?.sha256 === sha256);
  const version = isPinned ? accelerator.version : versionOf(fetched[0]?.file ?? '');
  const unpacked = folderOf(scratch, accelerator, version);
  await mkdir(unpacked, { mode: 0o700 });
  const own = addon === undefined ? {} : { addon };
  await unpackAccelerator(accelerator, { fetched, into: unpacked, scratch, say, ...own });
  const record: InstalledRecord = {
    schema: 'regulon.accelerator/2',
    ...{ name: accelerator.name, version },
    sources: Object.fromEntries(fetched.map(({ file, sha256 }) => [file, sha256])),
    files: await digestsIn(unpacked),
    from: [...new Set(fetched.map(({ from }) => from))].join(', ').slice(0, 4096),
    installed: new Date().toISOString(),
  };
  const text = `${JSON.stringify(record, null, 2)}\n`;
  await writeFile(path.join(unpacked, RECORD_FILE), text, { flush: true });
  say('testing it in a training process');
  const tested = await probe(scratch, accelerator.name);
  const place = folderOf(folder, accelerator, version);
  await putInPlace(unpacked, place, scratch);
  return { changed: true, record, folder: place, tested };
}

/** @throws E_DIGEST when a file is another one than the pinned; errors of the sources */
async function fetchAll(
  wanted: readonly PinnedFile[],
  source: Source,
  scratch: string,
  say: (line: string) => void,
): Promise<FetchedFile[]> {
  await verifyFolder(wanted, source);
  const fetched: FetchedFile[] = [];
  for (const [i, pinned] of wanted.entries()) {
    say(`fetching ${pinned.file}${wanted.length > 1 ? ` (${i + 1} of ${wanted.length})` : ''}`);
    const file = await fetchFile(pinned, source, scratch);
    if (file.sha256 !== pinned.sha256)
      throw new RegulonError('E_DIGEST', `${file.file} has SHA-256 ${file.sha256}, not ${pinned.sha256}`, {
        hint: `bring ${pinned.file} as it was published; another version of the library needs --sha256`,
      });
    fetched.push(file);
  }
  return fetched;
}

async function digestsIn(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  const digests: Record<string, string> = {};
  for (const file of files.sort())
    digests[path.relative(folder, file).replaceAll(path.sep, '/')] = await digestOfFile(file);
  return digests;
}

/** Version in a wheel's file name: `name-version-…`. @throws E_ARGUMENT */
function versionOf(file: string): string {
  const version = /^[A-Za-z0-9_.]+-([0-9][A-Za-z0-9.]{0,63})-.*\.whl$/.exec(file)?.[1];
  if (version !== undefined) return version;
  throw new RegulonError('E_ARGUMENT', `${file} is not named as a wheel is`, {
    hint: 'keep the name it was published under: NAME-VERSION-….whl',
  });
}

/** Others that install the same at the same time take the place at most so often. */
const MOST_TURNS = 16;

/** What lies there goes aside first, and comes back when the new one cannot take its place. */
async function putInPlace(unpacked: string, place: string, scratch: string): Promise<void> {
  for (let turn = 1; ; turn++) {
    const aside = path.join(scratch, `old-${turn}`);
    await rename(place, aside).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    try {
      return await rename(unpacked, place);
    } catch (error) {
      const isTaken = ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '');
      if (isTaken && turn < MOST_TURNS) continue;
      await rename(aside, place).catch(() => undefined);
      throw error;
    }
  }
}

async function removeLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder);
  const left = names.filter((name) => {
    const scratch = SCRATCH.exec(name);
    return scratch !== null && !isAlive(Number(scratch[1] ?? 0));
  });
  await Promise.all(left.map((name) => rm(path.join(folder, name), { recursive: true, force: true })));
}

/** @param pid 0: of a name without a process */
function isAlive(pid: number): boolean {
  if (pid === 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // a process of another user lives too
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Remove every version of an accelerator.
 *
 * @returns the versions that were there
 */
export async function remove(name: string, folder: string): Promise<string[]> {
  const accelerator = acceleratorOf(name);
  const installed = (await installedIn(folder)).filter((found) => found.name === accelerator.name);
  await Promise.all(installed.map((found) => rm(found.folder, { recursive: true })));
  return installed.map(({ version }) => version);
}

/**
 * Start a training process that must use the library, and ask what its self-test says.
 *
 * @throws E_BACKEND when the library does not load or computes wrongly; E_TRAINER_CRASH when the process dies of it
 */
export async function testInstalled(
  acceleratorFolder: string,
  name: Accelerator['name'] = 'blas',
): Promise<Tested> {
  const trainer = await Trainer.start({ folder: acceleratorFolder, backend: name, acceleratorFolder });
  const { selfTestDigest, selfTestMilliseconds, versions, cpu } = trainer.backend;
  await trainer.cancel();
  return { selfTestDigest, selfTestMilliseconds, versions, cpu };
}
