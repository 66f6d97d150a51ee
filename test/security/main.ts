/** `npm run security [-- ARGUMENT…]`: the long forms of the suites on attacks and faults, and what they did in numbers. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TALLY, type Tallied } from '../support/tally.js';
import { type JestResult, longTable } from './support/long-table.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SUITES = [
  'test/security',
  'test/faults',
  'test/fuzz/fuzz',
  'test/e2e/crash',
  'test/walks/(reopen|bad-line)',
  'test/integration/transport-',
  'test/integration/(control-hostile|log-hammer)',
  'test/integration/coordinator-(reopen|uploads)',
];

/** The commit that runs, with `-dirty` where files differ from it. */
function version(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: ROOT, encoding: 'utf8' }).trim();
  } catch {
    return 'an unknown version';
  }
}

/** @returns exit status of jest; its report goes to stderr, its result to `outputFile` */
function jest(outputFile: string, tallyFile: string, more: readonly string[]): number {
  const program = join(ROOT, 'node_modules/jest/bin/jest.js');
  const flags = ['--disable-warning=ExperimentalWarning', '--experimental-vm-modules'];
  // walks are left out of `npm test`, not here
  const options = ['--testPathIgnorePatterns=/node_modules/', '--json', '--outputFile', outputFile, ...more];
  const long = { REGULON_SECURITY: 'long', REGULON_FAULTS: 'long', [TALLY]: tallyFile };
  const { status } = spawnSync(process.execPath, [...flags, program, ...SUITES, ...options], {
    ...{ cwd: ROOT, env: { ...process.env, ...long }, stdio: ['ignore', 'ignore', 'inherit'] },
  });
  return status ?? 1;
}

function report(folder: string, more: readonly string[]): number {
  const [outputFile, tallyFile] = [join(folder, 'result.json'), join(folder, 'tally')];
  const start = performance.now();
  const status = jest(outputFile, tallyFile, more);
  if (!existsSync(outputFile)) return status;
  const result = JSON.parse(readFileSync(outputFile, 'utf8')) as JestResult;
  const lines = existsSync(tallyFile) ? readFileSync(tallyFile, 'utf8').trim().split('\n') : [];
  const seconds = Math.round((performance.now() - start) / 1000);
  const head = `${version()}, ${new Date().toISOString().slice(0, 10)}, ${seconds} s`;
  const tallied = lines.map((text) => JSON.parse(text) as Tallied);
  process.stdout.write(`${[head, ...longTable(result, tallied)].join('\n')}\n`);
  return status;
}

const folder = mkdtempSync(join(tmpdir(), 'regulon-security-'));
try {
  process.exitCode = report(folder, process.argv.slice(2));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
