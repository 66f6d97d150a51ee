import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { RegulonError } from '@regulon/shared/errors';
import { type AttackReport, parseAttackReport } from '@regulon/shared/transparency';
import { verifyReplaceable, writeWhole } from '../files/index.js';
import { bytesText } from '../output/index.js';
import { reportPage, shownPreparations } from '../run-report/index.js';
import { apiFor, type ConnectionOptions, connects } from './connection.js';
import { type Context, handles } from './context.js';
import { resolveRun } from './resolve-run.js';

/** `regulon run report`: the run as one page for people without this program. */
export function reportCommand(run: Command, context: Context): void {
  const command = connects(
    run
      .command('report')
      .description('one HTML page of a run: scores, curves, baselines; no scripts, nothing loaded')
      .argument('<run>', 'name, or a unique beginning'),
  )
    .requiredOption('--out <file>', 'the page')
    .option(
      '--attack <files...>',
      'membership tests of its models (`regulon model test`), shown as curves',
      [],
    )
    .option('--force', 'replace an existing file', false);
  handles<ConnectionOptions & { out: string; force: boolean; attack: string[] }>(
    command,
    context,
    async ([name = ''], { out, force, attack, ...options }) => {
      verifyReplaceable(out, force);
      const api = apiFor(options, context);
      const document = await api.run(await resolveRun(api, name));
      const tests = attack.map((file) => testOf(document.run, file));
      const page = reportPage(document, await shownPreparations(api, document), tests);
      writeWhole(out, page);
      const data = { run: document.run, status: document.status, file: out, bytes: Buffer.byteLength(page) };
      return { data, lines: [`${out}  ${bytesText(data.bytes)}`] };
    },
    'files',
  );
}

/** @throws E_ARGUMENT when the file is no report, or one about another run */
function testOf(run: string, file: string): AttackReport {
  const report = parseAttackReport(readFileSync(file));
  if (report.run === run) return report;
  throw new RegulonError('E_ARGUMENT', `${file} is about ${report.run}, not about ${run}`);
}
