import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const EXPERIMENTS = ['alpha', 'cdc15', 'cdc28', 'elu'];

const isStep = (experiment: string, column: string): boolean =>
  column.startsWith(experiment) && /^_?\d+$/.test(column.slice(experiment.length));

/**
 * The genes of known phase as four sites, one an experiment: `series.tsv` and `design.tsv` in a folder each.
 *
 * @param from folder with spellman.txt.gz and yeast_classification.txt, whose columns are called the wrong way round
 */
export function joinPhases(from: string, to: string): void {
  const phases = new Map<string, string>();
  for (const line of readFileSync(join(from, 'yeast_classification.txt'), 'utf8').split('\n').slice(1)) {
    const [, gene, phase] = line.trim().split(/\s+/);
    if (gene !== undefined && phase !== undefined) phases.set(gene, phase);
  }
  const table = gunzipSync(readFileSync(join(from, 'spellman.txt.gz'))).toString('utf8');
  const [heading = '', ...rows] = table.trimEnd().split('\n');
  const columns = heading.split('\t');
  for (const experiment of EXPERIMENTS) {
    const own = columns.flatMap((name, i) => (isStep(experiment, name) ? [i] : []));
    const known = rows.map((row) => row.split('\t')).filter(([gene]) => phases.has(gene ?? ''));
    const folder = join(to, experiment);
    mkdirSync(folder, { recursive: true });
    const cells = (row: readonly string[]): string => [row[0], ...own.map((i) => row[i])].join('\t');
    writeFileSync(join(folder, 'series.tsv'), `${[columns, ...known].map(cells).join('\n')}\n`);
    const labels = known.map(([gene = '']) => `${gene}\t${phases.get(gene)}`);
    writeFileSync(join(folder, 'design.tsv'), `gene\tphase\n${labels.join('\n')}\n`);
  }
}
