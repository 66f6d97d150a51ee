import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { diskError } from '../state/index.js';
import { Trainer } from '../training/index.js';
import { type Accelerator, acceleratorOf, type PinnedWheel, wheelFor } from './catalogue.js';
import { folderOf, type Installed, installedIn, type InstalledRecord } from './installed.js';
import { type FetchedWheel, fetchWheel, type Source } from './sources.js';
import { memberOf } from './wheel.js';

/** Name of what is not yet installed; left-overs of an interrupted installation are removed by the next one. */
const NEW = '.new-';

/** Starts a training process with the library and asks for its self-test. */
export type Probe = (acceleratorFolder: string) => Promise<Tested>;

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
  /** digest of a wheel that this version of Regulon does not know, hexadecimal: the site answers for it */
  readonly sha256?: string;
  readonly say: (line: string) => void;
  /** replaced in tests */
  readonly probe?: Probe;
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
  const pinned = wheelFor(accelerator);
  const present = await presentOf(request, accelerator, pinned);
  if (present?.record) {
    request.say(`${accelerator.name} ${present.version} is installed and intact; testing it`);
    return { changed: false, record: present.record, folder: present.folder, tested: await probe(folder) };
  }
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await removeLeftovers(folder);
    const scratch = await mkdtemp(path.join(folder, NEW));
    try {
      return await installFrom(scratch, accelerator, pinned, { ...request, probe });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  } catch (error) {
    throw diskError('the accelerator', error);
  }
}

async function presentOf(
  { folder, sha256 }: InstallRequest,
  accelerator: Accelerator,
  pinned: PinnedWheel,
): Promise<Installed | undefined> {
  const wanted = sha256 ?? pinned.sha256;
  const installed = await installedIn(folder);
  return installed.find(
    ({ name, intact, record }) => name === accelerator.name && intact && record?.wheelSha256 === wanted,
  );
}

async function installFrom(
  scratch: string,
  accelerator: Accelerator,
  pinned: PinnedWheel,
  { folder, source, sha256, say, probe = testInstalled }: InstallRequest,
): Promise<InstallOutcome> {
  say(`fetching ${pinned.file}`);
  const wheel = await fetchWheel(accelerator, pinned, source, scratch);
  verifyWheel(wheel, pinned, sha256);
  const library = memberOf(wheel.bytes, accelerator.member);
  const record: InstalledRecord = {
    schema: 'regulon.accelerator/1',
    name: accelerator.name,
    version: wheel.sha256 === pinned.sha256 ? accelerator.version : versionOf(wheel.file),
    wheelSha256: wheel.sha256,
    librarySha256: createHash('sha256').update(library).digest('hex'),
    from: wheel.from,
    installed: new Date().toISOString(),
  };
  const unpacked = folderOf(scratch, accelerator, record.version);
  await mkdir(unpacked, { mode: 0o700 });
  await writeFile(path.join(unpacked, accelerator.library), library, { mode: 0o600, flush: true });
  await writeFile(path.join(unpacked, 'installed.json'), `${JSON.stringify(record, null, 2)}\n`, {
    flush: true,
  });
  say('testing it in a training process');
  const tested = await probe(scratch);
  const place = folderOf(folder, accelerator, record.version);
  await putInPlace(unpacked, place, scratch);
  return { changed: true, record, folder: place, tested };
}

/** @throws E_DIGEST */
function verifyWheel(wheel: FetchedWheel, pinned: PinnedWheel, sha256: string | undefined): void {
  const wanted = sha256 ?? pinned.sha256;
  if (wheel.sha256 === wanted) return;
  throw new RegulonError('E_DIGEST', `${wheel.file} has SHA-256 ${wheel.sha256}, not ${wanted}`, {
    hint:
      sha256 === undefined
        ? `bring ${pinned.file} as it was published; another version needs --sha256`
        : 'compare the digest with the one that was published',
  });
}

/** Version in a wheel's file name: `name-version-…`. @throws E_ARGUMENT */
function versionOf(file: string): string {
  const version = /^[A-Za-z0-9_.]+-([0-9][A-Za-z0-9.]{0,63})-.*\.whl$/.exec(file)?.[1];
  if (version !== undefined) return version;
  throw new RegulonError('E_ARGUMENT', `${file} is not named as a wheel is`, {
    hint: 'keep the name it was published under: NAME-VERSION-….whl',
  });
}

/** What lies there goes aside first, so that a complete installation is there at every moment but one rename. */
async function putInPlace(unpacked: string, place: string, scratch: string): Promise<void> {
  await rename(place, path.join(scratch, 'old')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rename(unpacked, place);
}

async function removeLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder);
  const left = names.filter((name) => name.startsWith(NEW));
  await Promise.all(left.map((name) => rm(path.join(folder, name), { recursive: true, force: true })));
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
export async function testInstalled(acceleratorFolder: string): Promise<Tested> {
  const trainer = await Trainer.start({ folder: acceleratorFolder, backend: 'blas', acceleratorFolder });
  const { selfTestDigest, selfTestMilliseconds, versions, cpu } = trainer.backend;
  await trainer.cancel();
  return { selfTestDigest, selfTestMilliseconds, versions, cpu };
}
