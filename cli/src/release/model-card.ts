import { shown } from '../enrolment/index.js';
import { shownTerm } from '@regulon/shared/plan';
import type { LogEntry } from '@regulon/shared/transparency';
import { guaranteeLines } from './release-lines.js';
import type { ReleasedRun } from './released-run.js';

/**
 * What goes with a released file, in Markdown: run, plan, coverage, ε of each site, honest label, test, intended use.
 *
 * @param index of the entry `model.release`
 */
export function modelCard(
  { proposal, finish, dataUse }: ReleasedRun,
  { run, at, body }: LogEntry<'model.release'>,
  index: number,
): string {
  const { coverage, status } = finish;
  return [
    `# Model ${body.model}`,
    '',
    `- run: ${run}, ${status}, arm ${body.arm}; ${coverage.sites} sites, ${coverage.band} units`,
    `- plan: ${proposal.name}, ${proposal.planHash}, purpose ${proposal.purpose}`,
    `- file: ${body.file.digest}, ${body.format}, ${body.file.size} bytes`,
    `- released: ${at}, entry ${index} of the log, approved by the stewards of ${body.approvals.map(({ site }) => site).join(', ')}`,
    '',
    '## Intended use',
    '',
    // on one line, so that the researcher's words begin no section of their own
    `> ${shown(body.intendedUse)}`,
    '',
    '## Terms of the data',
    '',
    ...(dataUse.length === 0
      ? ['- none: every dataset is public or simulated']
      : dataUse.map((text) => `- ${shown(shownTerm(text))}`)),
    '',
    '## Privacy',
    '',
    ...guaranteeLines(body.privacy).map((line) => `- ${line}`),
    '',
    'Secure aggregation hid each single contribution while the model was trained. It is no differential privacy, and does not',
    'hide what the model itself tells.',
    '',
    '## Attacks on this model',
    '',
    ...body.tests.map(
      ({ site, report }) => `- membership tests at ${site}: report ${report.digest} in the log`,
    ),
    '',
  ].join('\n');
}
