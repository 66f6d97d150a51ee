// Gets a clone ready, then runs what was asked for. Plain Node, no dependencies: it runs before anything is installed.
//
//   node scripts/setup.mjs                          install and build what is missing
//   node scripts/setup.mjs --run cli/dist/x.js …    … then run a compiled program with the arguments that follow
//   node scripts/setup.mjs --jest …                 … then run the tests
//
// Everything it says goes to stderr: stdout belongs to the program.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const workspaces = ['shared', 'client', 'coordinator', 'cli'];
const say = (text) => process.stderr.write(`set-up: ${text}\n`);

/** Two lines and exit 4: what is wrong, what to do next. */
function refuse(what, next) {
  process.stderr.write(`E_ENVIRONMENT: ${what}\nnext: ${next}\n`);
  process.exit(4);
}

function verifyNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const ok = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
  if (!ok)
    refuse(
      `Node ${process.versions.node} is too old or unsupported`,
      'install Node 20.19 or newer (22 recommended)',
    );
}

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** Whether `node_modules` holds every package of the lock, in the version of the lock. */
function installed() {
  const hidden = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(hidden)) return false;
  const wanted = readJson(join(root, 'package-lock.json')).packages;
  const present = readJson(hidden).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith('node_modules/') || entry.link) return true;
    const there = present[path];
    if (there === undefined)
      return entry.optional === true || entry.devOptional === true || entry.peer === true;
    return there.version === entry.version && existsSync(join(root, path, 'package.json'));
  });
}

/** Whether the database driver loads in this Node (a native module serves one ABI). */
function driverLoads() {
  const code = "new (require('better-sqlite3'))(':memory:').close()";
  return spawnSync(process.execPath, ['-e', code], { cwd: root, stdio: 'ignore' }).status === 0;
}

const onPath = (name) =>
  (process.env.PATH ?? '').split(delimiter).some((d) => d !== '' && existsSync(join(d, name)));

/** What compiling the driver needs and this machine lacks. */
function missingTools() {
  const missing = [];
  if (!onPath('python3') && !process.env.npm_config_python) missing.push('python3');
  if (!process.env.CXX && !['g++', 'c++', 'clang++'].some(onPath)) missing.push('g++');
  if (!onPath('make') && !onPath('gmake')) missing.push('make');
  return missing;
}

/** A folder with the headers of this very Node, or undefined: headers of another version build a driver that does not load. */
function headersFolder() {
  const candidates = [process.env.npm_config_nodedir, dirname(dirname(process.execPath))];
  return candidates.find((folder) => {
    if (!folder) return false;
    const file = join(folder, 'include/node/node_version.h');
    if (!existsSync(file)) return false;
    const abi = /#define NODE_MODULE_VERSION (\d+)/.exec(readFileSync(file, 'utf8'))?.[1];
    return abi === process.versions.modules;
  });
}

async function reachable(url) {
  try {
    const response = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(8000) });
    return response.ok;
  } catch {
    return false;
  }
}

/** Names what is missing before minutes are spent: the driver comes as a prebuilt binary, or is compiled here. */
async function verifyToolchain() {
  const tools = missingTools();
  const headers = headersFolder();
  if (process.platform === 'win32' || (tools.length === 0 && headers !== undefined)) return;
  const { version } = readJson(join(root, 'package-lock.json')).packages['node_modules/better-sqlite3'];
  const file = `better-sqlite3-v${version}-node-v${process.versions.modules}-${process.platform}-${process.arch}.tar.gz`;
  const prebuilt = `https://github.com/WiseLibs/better-sqlite3/releases/download/v${version}/${file}`;
  if (process.env.HTTPS_PROXY || process.env.https_proxy || (await reachable(prebuilt))) return;
  if (tools.length > 0) {
    refuse(
      `the prebuilt database driver cannot be downloaded, and compiling it needs ${tools.join(', ')}`,
      `install ${tools.join(', ')} (Debian, Ubuntu: apt-get install python3 g++ make), then run this command again`,
    );
  }
  if (!(await reachable(`https://nodejs.org/dist/${process.version}/SHASUMS256.txt`))) {
    refuse(
      `neither the prebuilt database driver nor the headers of Node ${process.versions.node} can be downloaded`,
      'set npm_config_nodedir to a folder that has include/node of this Node version',
    );
  }
}

function environment() {
  const headers = headersFolder();
  return { ...process.env, ...(headers ? { npm_config_nodedir: headers } : {}) };
}

/** Runs one step of the set-up; its output goes to stderr. */
function step(what, command, args) {
  say(what);
  const started = Date.now();
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: environment(),
  });
  if (error || status !== 0)
    refuse(`${command} ${args.join(' ')} failed`, 'read the lines above; then run this command again');
  say(`done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

async function install() {
  if (!installed()) {
    await verifyToolchain();
    step('installing the packages of package-lock.json (npm ci; up to two minutes)', npm, [
      'ci',
      '--no-audit',
      '--no-fund',
    ]);
  }
  if (driverLoads()) return;
  await verifyToolchain();
  step(`rebuilding the database driver for Node ${process.versions.node}`, npm, [
    'rebuild',
    'better-sqlite3',
  ]);
  if (!driverLoads()) {
    refuse(
      'the database driver does not load in this Node',
      'delete node_modules and run this command again',
    );
  }
}

/** One digest over the names, sizes and times of everything that the compiler reads. */
function sourcesDigest(folders) {
  const hash = createHash('sha256').update(process.version);
  const visit = (path) => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.name === 'dist' || entry.name === 'node_modules') continue;
      const child = join(path, entry.name);
      if (entry.isDirectory()) visit(child);
      else if (/\.(ts|json)$/.test(entry.name)) {
        const { size, mtimeMs } = statSync(child);
        hash.update(`${child}\0${size}\0${mtimeMs}\n`);
      }
    }
  };
  folders.filter((folder) => existsSync(join(root, folder))).forEach((folder) => visit(join(root, folder)));
  for (const file of ['tsconfig.base.json', 'tsconfig.json', 'package-lock.json']) {
    hash.update(readFileSync(join(root, file)));
  }
  return hash.digest('hex');
}

function build(withTests) {
  const folders = withTests ? [...workspaces, 'test'] : workspaces;
  const stamp = join(root, 'node_modules/.cache/regulon', withTests ? 'built-all' : 'built');
  const digest = sourcesDigest(folders);
  const complete = folders.every((folder) => existsSync(join(root, folder, 'dist/.tsbuildinfo')));
  if (complete && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  step('compiling (tsc -b)', process.execPath, [tsc, '-b', ...(withTests ? [] : ['cli'])]);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, digest);
}

/** Runs the program in the foreground: signals go to it, its exit status is ours. */
function run(args) {
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // npm dies of a signal without a word to what it started
  const { ppid } = process;
  if (process.env.npm_lifecycle_event)
    setInterval(() => ppid !== process.ppid && child.kill('SIGTERM'), 1000);
  child.on('error', (error) => refuse(`cannot start ${args[0]}: ${error.message}`, 'run this command again'));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

const [mode, ...rest] = process.argv.slice(2);
verifyNode();
await install();
build(mode !== '--run' || (rest[0] ?? '').startsWith('test/'));
if (mode === '--run') {
  const [program, ...args] = rest;
  run(['--disable-warning=ExperimentalWarning', resolve(root, program), ...args]);
} else if (mode === '--jest') {
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  process.chdir(root);
  run(['--disable-warning=ExperimentalWarning', '--experimental-vm-modules', jest, ...rest]);
}
