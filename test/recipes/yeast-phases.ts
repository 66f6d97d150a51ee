import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const SITES = ['north', 'east', 'west'];

/**
 * The genes of known phase, divided between three sites: `series.tsv` and `design.tsv` in a folder each.
 *
 * @param from folder with spellman.txt.gz and yeast_classification.txt, whose columns are called the wrong way round
 */
export function dividePhases(from: string, to: string): void {
  const phases = phasesOf(readFileSync(join(from, 'yeast_classification.txt'), 'utf8'));
  const table = gunzipSync(readFileSync(join(from, 'spellman.txt.gz'))).toString('utf8');
  const [heading = '', ...rows] = table.trimEnd().split('\n');
  const geneOf = (row: string): string => row.slice(0, row.indexOf('\t'));
  SITES.forEach((site, s) => {
    const own = rows.filter((row) => phases.has(geneOf(row)) && siteOf(geneOf(row)) === s);
    const folder = join(to, site);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'series.tsv'), `${[heading, ...own].join('\n')}\n`);
    const labels = own.map((row) => `${geneOf(row)}\t${phases.get(geneOf(row))}`);
    writeFileSync(join(folder, 'design.tsv'), `gene\tphase\n${labels.join('\n')}\n`);
  });
}

function phasesOf(text: string): Map<string, string> {
  const rows = text.split('\n').slice(1);
  return new Map(
    rows.flatMap((line): [string, string][] => {
      const [, gene, phase] = line.trim().split(/\s+/);
      return gene === undefined || phase === undefined ? [] : [[gene, phase]];
    }),
  );
}

const siteOf = (gene: string): number =>
  createHash('sha256').update(gene).digest().readUInt32BE(0) % SITES.length;
