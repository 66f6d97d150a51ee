import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from './run-program.support.js';

let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-genes-command-'));
  writeFileSync(
    at('hgnc.txt'),
    [
      'symbol\tstatus\talias_symbol\tprev_symbol\tentrez_id\tensembl_gene_id',
      'ESR1\tApproved\tNR3A1\tESR\t2099\tENSG00000091831',
      'SEPTIN2\tApproved\t\tNEDD5|SEPT2\t4735\tENSG00000168385',
      'FOXA1\tApproved\t\tHNF3A\t3169\tENSG00000129514',
    ].join('\n'),
  );
  writeFileSync(at('one.tsv'), 'gene\tP1\tP2\nESR\t5\t0\n2-Sep\t7\t9\n');
  writeFileSync(
    at('two.tsv'),
    'gene\tQ1\tQ2\nENSG00000168385.3\t1\t2\nENSG00000091831.7\t3\t4\nENSG00000129514.2\t5\t6\n',
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('regulon data genes and panel', () => {
  it('bring files with different names of genes to one panel', async () => {
    const made = await run(
      'data',
      'genes',
      at('hgnc.txt'),
      '--release',
      '2026-10-06',
      '--out',
      at('genes.tsv'),
      '--format',
      'table',
    );
    expect([made.code, made.out]).toEqual([
      0,
      expect.stringContaining('3 genes of HGNC 2026-10-06\ndigest '),
    ]);
    expect(readFileSync(at('genes.tsv'), 'utf8')).toContain(
      'SEPTIN2\tENSG00000168385\t4735\t\tNEDD5|SEPT2\n',
    );
    const table = ['--gene-table', at('genes.tsv'), '--into', at('datasets')];
    for (const name of ['one', 'two'])
      expect(
        (
          await run(
            'data',
            'import',
            at(`${name}.tsv`),
            '--name',
            name,
            ...table,
            '--orientation',
            'genes-by-units',
          )
        ).code,
      ).toBe(0);
    const panel = await run(
      'data',
      'panel',
      at('datasets/one'),
      at('datasets/two'),
      '--out',
      at('panel.txt'),
      '--format',
      'table',
    );
    expect(panel.out).toMatch(/2 genes\npanel [0-9a-f]{64}\n.*lacks.*\n.*one +2 +0 +0\n.*two +3 +0 +1\n/);
    const digests: unknown[] = [];
    for (const name of ['one', 'two']) {
      const options = ['--panel', at('panel.txt'), '--force', '--orientation', 'genes-by-units'];
      const { out } = await run(
        'data',
        'import',
        at(`${name}.tsv`),
        '--name',
        name,
        ...table,
        ...options,
        '--format',
        'json',
      );
      digests.push((JSON.parse(out) as { data: { manifest: { panel: string } } }).data.manifest.panel);
    }
    expect(digests[0]).toBe(digests[1]);
  });

  it('show in an inspection what the table understands', async () => {
    const { out } = await run(
      'data',
      'inspect',
      at('one.tsv'),
      '--gene-table',
      at('genes.tsv'),
      '--orientation',
      'genes-by-units',
      '--format',
      'table',
    );
    expect(out).toMatch(/gene table +HGNC 2026-10-06: 1 by previous, 1 by date/);
  });

  it('replace no file unasked, and want a number of sites', async () => {
    const again = await run('data', 'genes', at('hgnc.txt'), '--release', 'x', '--out', at('genes.tsv'));
    expect([again.code, again.err]).toEqual([4, expect.stringContaining('exists already')]);
    const sites = await run(
      'data',
      'panel',
      at('datasets/one'),
      '--rule',
      'min-sites',
      '--out',
      at('other.txt'),
    );
    expect([sites.code, sites.err]).toEqual([4, expect.stringContaining('--min-sites')]);
  });
});
