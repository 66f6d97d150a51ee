/** `npm run attacks [-- --format json] [--output FILE] [--html FILE] [ARGUMENT…]`: the long forms of the privacy attacks, as a table. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { JestResult } from '../security/support/long-table.js';
import { attackPage } from './support/attack-page.js';
import { attackReport, attackTable } from './support/attack-table.js';
import { MEASURED, type Measured } from './support/attack-report.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The commit that runs, with `-dirty` where files differ from it. */
function version(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: ROOT, encoding: 'utf8' }).trim();
  } catch {
    return 'an unknown version';
  }
}

/** @returns exit status of jest; its report goes to stderr, its result to `outputFile` */
function jest(outputFile: string, measuredFile: string, form: string, more: readonly string[]): number {
  const program = join(ROOT, 'node_modules/jest/bin/jest.js');
  const flags = ['--disable-warning=ExperimentalWarning', '--experimental-vm-modules'];
  const options = ['--json', '--outputFile', outputFile, ...more];
  const { status } = spawnSync(process.execPath, [...flags, program, 'test/attacks', ...options], {
    cwd: ROOT,
    env: { ...process.env, REGULON_ATTACKS: form, [MEASURED]: measuredFile },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return status ?? 1;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** `table` or `json` on stdout */
    format: { type: 'string', default: 'table' },
    /** the JSON report is written there as well */
    output: { type: 'string' },
    /** pictures and figures are written there as one page that runs nothing */
    html: { type: 'string' },
    /** the short forms, as continuous integration runs them */
    quick: { type: 'boolean', default: false },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'regulon-attacks-'));
try {
  const [outputFile, measuredFile] = [join(folder, 'result.json'), join(folder, 'measured')];
  process.exitCode = jest(outputFile, measuredFile, values.quick ? 'quick' : 'long', ['-i', ...positionals]);
  if (existsSync(outputFile)) {
    const result = JSON.parse(readFileSync(outputFile, 'utf8')) as JestResult;
    const lines = existsSync(measuredFile) ? readFileSync(measuredFile, 'utf8').trim().split('\n') : [];
    const measured = lines.map((line) => JSON.parse(line) as Measured);
    const report = attackReport(version(), values.quick ? 'quick' : 'long', result, measured);
    const json = `${JSON.stringify(report, null, 2)}\n`;
    if (values.output !== undefined) writeFileSync(values.output, json);
    if (values.html !== undefined) writeFileSync(values.html, attackPage(report));
    process.stdout.write(values.format === 'json' ? json : `${attackTable(report).join('\n')}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
