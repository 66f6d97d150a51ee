/** `npm run utility [-- --seeds 1,2,3] [--only NAME,…] [--output FILE] [--svg FILE]`: accuracy against ε on real data. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readPlanFile } from '@regulon/cli/plan-file';
import { exampleFile } from '@regulon/cli/sim';
import { Trainer } from '@regulon/client/training';
import { explainError, RegulonError } from '@regulon/shared/errors';
import { configurations } from './configurations.js';
import { measured, type Measured } from './measure.js';
import { plotOf } from './plot.js';
import { cohortOf } from './private-sites.js';
import { tableOf } from './table.js';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

interface Options {
  readonly seeds: readonly number[];
  readonly only: readonly string[];
  /** JSON of what was measured; what it holds already is not measured again */
  readonly output: string | undefined;
  readonly svg: string | undefined;
}

function optionsOf(): Options {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { seeds: text, only: text, output: text, svg: text } });
  const seeds = (values.seeds ?? '1,2,3').split(',').map(Number);
  const only = values.only?.split(',') ?? configurations.map(({ name }) => name);
  const unknown = only.find((wanted) => !configurations.some(({ name }) => name === wanted));
  if (unknown !== undefined || !seeds.every((seed) => Number.isInteger(seed) && seed >= 0))
    throw new RegulonError(
      'E_ARGUMENT',
      unknown === undefined ? '--seeds' : `--only: no configuration ${unknown}`,
      {
        hint: `--seeds 1,2,3 --only ${configurations.map(({ name }) => name).join(',')}`,
      },
    );
  return { seeds, only, output: values.output, svg: values.svg };
}

/** The folder of the five clients. @throws E_NOT_FOUND */
function dataFolder(): string {
  const folder = join(process.env['REGULON_DATA'] ?? '', 'tcga_brca_flimma');
  if (process.env['REGULON_DATA'] !== undefined && existsSync(folder)) return folder;
  throw new RegulonError('E_NOT_FOUND', 'the data set tcga_brca_flimma is not there', {
    hint: 'name its parent folder in REGULON_DATA',
  });
}

async function main({ seeds, only, output, svg }: Options): Promise<void> {
  const example = readPlanFile(exampleFile('brca3-private.yaml'));
  const cohort = await cohortOf(example, dataFolder());
  const folder = mkdtempSync(join(tmpdir(), 'regulon-utility-'));
  const trainer = await Trainer.start({ folder, backend: 'auto' });
  const known =
    output !== undefined && existsSync(output)
      ? (JSON.parse(readFileSync(output, 'utf8')) as Measured[])
      : [];
  const rows: Measured[] = [];
  try {
    for (const configuration of configurations.filter(({ name }) => only.includes(name))) {
      for (const epsilon of configuration.epsilons) {
        const { name } = configuration;
        const wanted = epsilon === Infinity ? null : epsilon;
        const before = known.find((row) => row.name === name && row.epsilon === wanted);
        const row =
          before ?? (await measured(example, cohort, configuration, epsilon, { trainer, folder, seeds }));
        rows.push(row);
        say(`${name}, ε = ${epsilon}: ${row.accuracy.map((share) => share.toFixed(3)).join(' ')}`);
        if (output !== undefined) writeFileSync(output, JSON.stringify(rows, null, 1));
      }
    }
  } finally {
    await trainer.close();
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(tableOf(rows));
  if (svg !== undefined) writeFileSync(svg, plotOf(rows));
}

main(optionsOf()).catch((error: unknown) => {
  process.stderr.write(`${explainError(error)}\n`);
  process.exitCode = error instanceof RegulonError ? error.exitCode : 5;
});
