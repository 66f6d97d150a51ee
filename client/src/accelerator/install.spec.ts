import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { strToU8, zipSync } from 'fflate';
import { RegulonError } from '@regulon/shared/errors';
import { accelerators, acceleratorOf, packageFor } from './catalogue.js';
import { findBlas } from '../training/engine/index.js';
import { install, type Probe, remove, testInstalled } from './install.js';
import { installedIn } from './installed.js';
import { filesOfTarball } from './tarball.js';
import { unpackWheel } from './wheel.js';

const blas = acceleratorOf('blas');
const MEMBER = 'scipy_openblas32/lib/libscipy_openblas.so';
const LIBRARY = 'libscipy_openblas.so';
const [pinned] = packageFor(blas, 'linux-x64').files;
const [ours] = packageFor(blas).files;
const library = new TextEncoder().encode('no library, but bytes of one');
const wheelOf = (bytes: Uint8Array): Uint8Array =>
  zipSync({ 'scipy_openblas32/__init__.py': new Uint8Array(9), [MEMBER]: bytes });
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const passes: Probe = () =>
  Promise.resolve({ selfTestDigest: 'aa', selfTestMilliseconds: 1, versions: {}, cpu: 'test' });
const fails: Probe = () => Promise.reject(new RegulonError('E_BACKEND', 'wrong product'));

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'regulon-accelerator-'));
  folder = join(root, 'accelerator');
});
afterEach(() => rmSync(root, { recursive: true }));

/** A wheel of another version than the pinned one, whose digest the site names. */
function otherWheel(version = '9.9', bytes = library): { file: string; sha256: string } {
  const file = join(root, `scipy_openblas32-${version}-py3-none-any.whl`);
  writeFileSync(file, wheelOf(bytes));
  return { file, sha256: digestOf(readFileSync(file)) };
}

const installFrom = (
  { file, sha256 }: { file: string; sha256?: string },
  probe: Probe = passes,
): ReturnType<typeof install> =>
  install({
    ...{ name: 'blas', folder, source: { from: file }, say: () => {}, probe },
    ...(sha256 === undefined ? {} : { sha256 }),
  });

describe('an accelerator from a file', () => {
  it('is unpacked, tested and put in place; a second run only tests; removal leaves nothing', async () => {
    const wheel = otherWheel();
    expect(await installFrom(wheel)).toMatchObject({ changed: true, record: { version: '9.9' } });
    expect(readdirSync(folder)).toEqual(['blas-9.9']);
    expect(readFileSync(join(folder, 'blas-9.9', LIBRARY)).equals(library)).toBe(true);
    rmSync(wheel.file);
    expect(await installFrom(wheel)).toMatchObject({ changed: false, record: { version: '9.9' } });
    expect(await remove('blas', folder)).toEqual(['9.9']);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['has another digest', (): Promise<unknown> => installFrom({ file: otherWheel('1.0').file }), 'E_DIGEST'],
    [
      'has another digest than was named',
      () => installFrom({ ...otherWheel('1.0'), sha256: '0'.repeat(64) }),
      'E_DIGEST',
    ],
    ['computes wrongly', () => installFrom(otherWheel('1.0'), fails), 'E_BACKEND'],
    ['is not there', () => installFrom({ file: join(root, 'nowhere') }), 'E_ARGUMENT'],
  ])('that %s is refused, and what was there still is', async (_, attempt, code) => {
    await installFrom(otherWheel());
    const before = await installedIn(folder);
    await expect(attempt()).rejects.toMatchObject({ code });
    expect(readdirSync(folder)).toEqual(['blas-9.9']);
    expect(await installedIn(folder)).toEqual(before);
  });

  it('from a folder that lacks files names all of them, and copies none', async () => {
    const said: string[] = [];
    const native = packageFor(acceleratorOf('native'), 'linux-x64').files.map(({ file }) => file);
    writeFileSync(join(root, native[1] ?? ''), 'here');
    const attempt = install({
      ...{
        name: 'native',
        folder,
        source: { from: root },
        say: (line) => void said.push(line),
        probe: passes,
      },
    });
    await expect(attempt).rejects.toMatchObject({
      code: 'E_ARGUMENT',
      message: expect.stringContaining(`does not hold ${native[0]}, ${native[2]}`),
      hint: expect.stringMatching(/^bring these 2 there as published \(pip download --no-deps, npm pack\)/),
    });
    expect([said, readdirSync(folder)]).toEqual([[], []]);
  });

  it('for a GPU is not fetched where no driver is there', async () => {
    const request = { name: 'gpu', folder, source: { from: root }, say: () => {}, probe: passes };
    await expect(install({ ...request, seesDevice: () => false })).rejects.toMatchObject({
      code: 'E_BACKEND',
      message: expect.stringContaining('nothing was fetched'),
    });
    expect(existsSync(folder)).toBe(false);
    // with one, the folder is asked
    const other = install({ ...request, seesDevice: () => true });
    await expect(other).rejects.toMatchObject({ code: 'E_ARGUMENT' });
  });

  it('replaces a damaged installation, and clears what an interrupted one left', async () => {
    const wheel = otherWheel();
    await installFrom(wheel);
    writeFileSync(join(folder, 'blas-9.9', LIBRARY), 'damaged');
    mkdirSync(join(folder, '.new-left', 'pip-x'), { recursive: true });
    // larger than the number of any process
    mkdirSync(join(folder, '.new-4194305-abc'));
    expect(await installedIn(folder)).toMatchObject([{ version: '9.9', intact: false }]);
    expect(await installFrom(wheel)).toMatchObject({ changed: true });
    expect(await installedIn(folder)).toMatchObject([{ version: '9.9', intact: true }]);
    expect(readdirSync(folder)).toEqual(['blas-9.9']);
  });

  it('may be installed twice at once: neither removes what the other works in', async () => {
    const wheel = otherWheel();
    let arrived = 0;
    let go = (): void => undefined;
    const both = new Promise<void>((resolve) => (go = resolve));
    // both have unpacked before either is put in place
    const together: Probe = async (scratch, name) => {
      if (++arrived === 2) go();
      await both;
      expect(existsSync(join(scratch, 'blas-9.9', LIBRARY))).toBe(true);
      return passes(scratch, name);
    };
    const first = installFrom(wheel, async (scratch, name) => {
      second = installFrom(wheel, together);
      return together(scratch, name);
    });
    let second: ReturnType<typeof install> | undefined;
    expect(await first).toMatchObject({ changed: true });
    expect(await second).toMatchObject({ changed: true });
    expect(await installedIn(folder)).toMatchObject([{ version: '9.9', intact: true }]);
    expect(readdirSync(folder)).toEqual(['blas-9.9']);
  });

  it('whose place cannot be taken leaves the old one where it was', async () => {
    const wheel = otherWheel();
    await installFrom(wheel);
    writeFileSync(join(folder, 'blas-9.9', LIBRARY), 'damaged');
    const vanishes: Probe = async (scratch, name) => {
      rmSync(join(scratch, 'blas-9.9'), { recursive: true });
      return passes(scratch, name);
    };
    await expect(installFrom(wheel, vanishes)).rejects.toThrow('ENOENT');
    expect(readdirSync(folder)).toEqual(['blas-9.9']);
    expect(readFileSync(join(folder, 'blas-9.9', LIBRARY), 'utf8')).toBe('damaged');
  });

  it('of a later version comes first, whatever their names as texts', async () => {
    for (const version of ['0.3.9', '0.3.34.481.3', '0.3.100'])
      await installFrom(otherWheel(version, new TextEncoder().encode(version)));
    const versions = (await installedIn(folder)).map(({ version }) => version);
    expect(versions).toEqual(['0.3.100', '0.3.34.481.3', '0.3.9']);
    expect(findBlas(folder)?.folder).toBe(join(folder, 'blas-0.3.100'));
  });

  it('is looked for under its published name in a folder', async () => {
    mkdirSync(join(root, 'mirror'));
    writeFileSync(join(root, 'mirror', ours.file), wheelOf(library));
    await expect(installFrom({ file: join(root, 'mirror') })).rejects.toMatchObject({ code: 'E_DIGEST' });
    rmSync(join(root, 'mirror', ours.file));
    await expect(installFrom({ file: join(root, 'mirror') })).rejects.toMatchObject({ code: 'E_ARGUMENT' });
  });
});

describe('an accelerator from a package index', () => {
  let server: Server;
  let index: string;
  let page = '';
  const wheel = wheelOf(library);
  beforeAll(async () => {
    server = createServer(({ url = '' }, response) => {
      if (url === '/simple/scipy-openblas32/') response.end(page);
      else if (url === `/files/${ours.file}`) response.end(wheel);
      else response.writeHead(404).end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    index = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/simple`;
  });
  afterAll(() => void server.close());
  const fetchFrom = (address: string): ReturnType<typeof install> =>
    install({
      ...{ name: 'blas', folder, source: { index: address }, sha256: digestOf(wheel) },
      ...{ say: () => {}, probe: passes },
    });

  it('is found by the links of its page, relative ones too; what is no address is passed over', async () => {
    const other = `<a href="../../files/${pinned.file.replace('x86_64', 'other')}">x</a><a href="//[">z</a><a href="%E0%A4%A">z</a>`;
    page = `<html>${other}<a data-x="1"\n href='../../files/${ours.file}#sha256=00'>y</a></html>`;
    expect(await fetchFrom(`${index}/`)).toMatchObject({ changed: true });
    expect(existsSync(join(folder, `blas-${blas.version}`, LIBRARY))).toBe(true);
  });

  it.each([
    ['holds no such file', () => ((page = '<a href="x.whl">x</a>'), index), 'E_NOT_FOUND'],
    ['does not have the project', () => `${index}/elsewhere`, 'E_CONNECTION'],
    ['does not answer', () => 'http://127.0.0.1:1/simple', 'E_CONNECTION'],
    ['is no address', () => 'mirror', 'E_ARGUMENT'],
    ['is a file', () => 'file:///srv/mirror', 'E_ARGUMENT'],
  ])('that %s is refused', async (_, addressOf, code) => {
    await expect(fetchFrom(addressOf())).rejects.toMatchObject({ code });
    expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
  });
});

describe('a wheel', () => {
  const wanted = (member: string): string | undefined => (member === MEMBER ? LIBRARY : undefined);
  const unpacked = async (bytes: Uint8Array, most?: number): Promise<string[]> => {
    writeFileSync(join(root, 'wheel'), bytes);
    return unpackWheel(join(root, 'wheel'), join(root, 'out'), wanted, most);
  };

  it('gives the wanted members and nothing else', async () => {
    expect(await unpacked(wheelOf(library))).toEqual([LIBRARY]);
    expect(readdirSync(join(root, 'out'))).toEqual([LIBRARY]);
  });

  it.each([
    ['is no archive', new Uint8Array(100)],
    ['is cut', wheelOf(library).subarray(0, 90)],
  ])('that %s is refused', async (_, bytes) => {
    await expect(unpacked(bytes)).rejects.toMatchObject({ code: 'E_DIGEST' });
  });

  it('that lacks the library is refused', async () => {
    const file = join(root, 'scipy_openblas32-9-py3-none-any.whl');
    writeFileSync(file, zipSync({ other: library }));
    const attempt = installFrom({ file, sha256: digestOf(readFileSync(file)) });
    await expect(attempt).rejects.toMatchObject({ code: 'E_DIGEST' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each(['../out', '/etc/out', 'a/../../out'])('puts nothing at %s', async (place) => {
    writeFileSync(join(root, 'wheel'), wheelOf(library));
    const attempt = unpackWheel(join(root, 'wheel'), join(root, 'in'), (member) =>
      member === MEMBER ? place : undefined,
    );
    await expect(attempt).rejects.toMatchObject({ code: 'E_DIGEST' });
  });

  it('that holds more than there may be is refused before it is unpacked', async () => {
    await expect(unpacked(wheelOf(library), library.length - 1)).rejects.toMatchObject({ code: 'E_DIGEST' });
    expect(existsSync(join(root, 'out'))).toBe(false);
    expect(await unpacked(wheelOf(library), library.length)).toEqual([LIBRARY]);
  });

  it('whose library is larger than it says is refused', async () => {
    const bytes = wheelOf(new Uint8Array(100_000));
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    // the central directory's entry of the second member: its original size
    view.setUint32(Buffer.from(bytes).lastIndexOf(MEMBER) - 46 + 24, 10, true);
    await expect(unpacked(bytes, 1000)).rejects.toMatchObject({ code: 'E_DIGEST' });
  });
});

describe('a package of npm', () => {
  it('gives its files', () => {
    const header = Buffer.alloc(512);
    header.write('package/a.js', 0);
    header.write('00000000003', 124);
    header.write('0', 156);
    const body = Buffer.alloc(512);
    body.write('abc');
    const files = filesOfTarball(gzipSync(Buffer.concat([header, body, Buffer.alloc(1024)])));
    expect([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString()])).toEqual([
      ['package/a.js', 'abc'],
    ]);
    // a size that would lead back to its own header
    header.write('-0000001000', 124);
    expect(() => filesOfTarball(gzipSync(header))).toThrow(expect.objectContaining({ code: 'E_DIGEST' }));
    header.write('00000000003', 124);
    // cut in the middle of the file
    expect(() => filesOfTarball(gzipSync(header))).toThrow(expect.objectContaining({ code: 'E_DIGEST' }));
    expect(() => filesOfTarball(strToU8('no archive'))).toThrow(
      expect.objectContaining({ code: 'E_DIGEST' }),
    );
  });
});

describe('the table of pinned files', () => {
  it.each(accelerators.map((each) => [each.name, each] as const))(
    '%s: whole digests, no file twice',
    (_, each) => {
      for (const { files } of Object.values(each.packages)) {
        expect(files.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256))).toBe(true);
        expect(new Set(files.map(({ file }) => file)).size).toBe(files.length);
        expect(new Set(files.map(({ sha256 }) => sha256)).size).toBe(files.length);
      }
    },
  );

  it('refuses one digest for several files', async () => {
    const attempt = install({
      ...{ name: 'native', folder, source: { from: root }, sha256: '0'.repeat(64), say: () => {} },
    });
    await expect(attempt).rejects.toMatchObject({ code: 'E_ARGUMENT' });
  });
});

describe('the test of an installed library', () => {
  it('is done by a training process, which refuses bytes that are no library', async () => {
    mkdirSync(join(folder, 'blas-1'), { recursive: true });
    writeFileSync(join(folder, 'blas-1', LIBRARY), library);
    await expect(testInstalled(folder)).rejects.toMatchObject({ code: 'E_BACKEND' });
  });
});
