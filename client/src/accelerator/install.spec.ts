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
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { zipSync } from 'fflate';
import { RegulonError } from '@regulon/shared/errors';
import { acceleratorOf, wheelFor } from './catalogue.js';
import { install, type Probe, remove, testInstalled } from './install.js';
import { installedIn } from './installed.js';
import { memberOf } from './wheel.js';

const blas = acceleratorOf('blas');
const pinned = wheelFor(blas, 'linux-x64');
const library = new TextEncoder().encode('no library, but bytes of one');
const wheelOf = (bytes: Uint8Array): Uint8Array =>
  zipSync({ 'scipy_openblas32/__init__.py': new Uint8Array(9), [blas.member]: bytes });
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
    expect(readFileSync(join(folder, 'blas-9.9', blas.library)).equals(library)).toBe(true);
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

  it('replaces a damaged installation, and clears what an interrupted one left', async () => {
    const wheel = otherWheel();
    await installFrom(wheel);
    writeFileSync(join(folder, 'blas-9.9', blas.library), 'damaged');
    mkdirSync(join(folder, '.new-left', 'pip-x'), { recursive: true });
    expect(await installedIn(folder)).toMatchObject([{ version: '9.9', intact: false }]);
    expect(await installFrom(wheel)).toMatchObject({ changed: true });
    expect(await installedIn(folder)).toMatchObject([{ version: '9.9', intact: true }]);
    expect(readdirSync(folder)).toEqual(['blas-9.9']);
  });

  it('is looked for under its published name in a folder', async () => {
    mkdirSync(join(root, 'mirror'));
    writeFileSync(join(root, 'mirror', wheelFor(blas).file), wheelOf(library));
    await expect(installFrom({ file: join(root, 'mirror') })).rejects.toMatchObject({ code: 'E_DIGEST' });
    rmSync(join(root, 'mirror', wheelFor(blas).file));
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
      else if (url === `/files/${wheelFor(blas).file}`) response.end(wheel);
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

  it('is found by the links of its page, relative ones too', async () => {
    const other = `<a href="../../files/${pinned.file.replace('x86_64', 'other')}">x</a>`;
    page = `<html>${other}<a data-x="1"\n href='../../files/${wheelFor(blas).file}#sha256=00'>y</a></html>`;
    expect(await fetchFrom(`${index}/`)).toMatchObject({ changed: true });
    expect(existsSync(join(folder, `blas-${blas.version}`, blas.library))).toBe(true);
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
  it.each([
    ['is no archive', new Uint8Array(100)],
    ['is cut', wheelOf(library).subarray(0, 90)],
    ['lacks the library', zipSync({ other: library })],
  ])('that %s is refused', (_, bytes) => {
    expect(() => memberOf(bytes, blas.member)).toThrow(expect.objectContaining({ code: 'E_DIGEST' }));
  });

  it('whose library claims more than 256 MiB is refused before it is unpacked', () => {
    const bytes = wheelOf(library);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    // the central directory's entry of the second member: its original size
    const name = Buffer.from(bytes).lastIndexOf(blas.member);
    view.setUint32(name - 46 + 24, 0x7fffffff, true);
    expect(() => memberOf(bytes, blas.member)).toThrow(expect.objectContaining({ code: 'E_DIGEST' }));
  });
});

describe('the test of an installed library', () => {
  it('is done by a training process, which refuses bytes that are no library', async () => {
    mkdirSync(join(folder, 'blas-1'), { recursive: true });
    writeFileSync(join(folder, 'blas-1', blas.library), library);
    await expect(testInstalled(folder)).rejects.toMatchObject({ code: 'E_BACKEND' });
  });
});
