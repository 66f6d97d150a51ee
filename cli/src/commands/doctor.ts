import type { Command } from 'commander';
import { RegulonError } from '@regulon/shared/errors';
import { type DoctorRow, examine } from '../doctor/index.js';
import { Exit, tableLines } from '../output/index.js';
import { type Context, handles } from './context.js';

/** `regulon doctor`: ends in `ready`, or in a list of failed rows with their remedies. */
export function doctorCommand(program: Command, context: Context): void {
  const doctor = program
    .command('doctor')
    .description('check this machine, and a site when its configuration is named')
    .option('--config <file>', 'configuration of the daemon');
  handles<{ config?: string }>(doctor, context, async (_, { config }) => {
    const rows = await examine(config, context.env);
    const bad = rows.filter(({ status }) => status === 'failed');
    const verdict = bad.length === 0 ? 'ready' : `not ready: ${bad.map(({ id }) => id).join(', ')} failed`;
    const failure =
      bad.length === 0
        ? null
        : new RegulonError('E_ENVIRONMENT', verdict, { hint: 'do what the rows say, then run it again' });
    const exitCode = failure ? Exit.refused : Exit.done;
    return {
      data: { ready: bad.length === 0, rows },
      rows,
      lines: [...rowLines(rows), '', verdict],
      failure,
      exitCode,
    };
  });
}

function rowLines(rows: readonly DoctorRow[]): string[] {
  return tableLines(
    [
      { title: 'row', value: (row: DoctorRow) => row.id },
      { title: 'check', value: (row) => row.check },
      { title: 'status', value: (row) => row.status },
      { title: 'found', value: (row) => row.note },
      { title: 'next', value: (row) => row.remedy },
    ],
    rows,
  );
}
