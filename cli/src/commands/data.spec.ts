import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from './run-program.support.js';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-data-command-'));
  file = join(folder, 'counts.tsv');
  writeFileSync(file, 'gene\tP1\tP2\nENSG00000000003\t5\t0\nENSG00000000005\t700\t9\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('regulon data', () => {
  it('inspects on one screen, and as JSON', async () => {
    const { code, out } = await run('data', 'inspect', file, '--format', 'table');
    expect(code).toBe(0);
    const lines = out.trimEnd().split('\n');
    expect(lines.length).toBeLessThan(25);
    expect(out).toMatch(/shape +2 genes × 2 units\norientation +genes-by-units \(told by the names\)/);
    expect(out).toMatch(/values but 0 +5 ▕.*█.*▏ 700 \(log\)/);
    const json = JSON.parse((await run('data', 'inspect', file, '--json')).out) as { data: unknown };
    expect(json.data).toMatchObject({ genes: 2, units: 2, scale: 'counts', missing: 0 });
  });

  it('shows whole numbers whole, and says nothing of what there is none of', async () => {
    const wide = join(folder, 'wide.tsv');
    const genes = Array.from(
      { length: 12_347 },
      (_, g) => `ENSG${String(g).padStart(11, '0')}\t${g + 1}\t${g + 2}`,
    );
    writeFileSync(wide, ['gene\tP1\tP2', ...genes, 'ENSG00000099999\t0\t0', ''].join('\n'));
    const { out } = await run('data', 'inspect', wide, '--format', 'table');
    // four digits would be 12,350: more genes than the file has
    expect(out).toMatch(/detected a unit +12,347 \(all\)/);
    expect(out).toMatch(/range +0 … 12,348/);
    expect(out).toMatch(/silent +1 genes without any value but zero/);
    expect(out).not.toMatch(/ 0 (units|genes)/);
  });

  it('names the column of a table of labels that tells units apart, where the first one only counts', async () => {
    const labels = join(folder, 'design.tsv');
    const rows = [0, 1, 2, 0, 1, 2].map((n, i) => `${n}\tTCGA-0${i}\t${40 + i}\t${i % 2}`);
    writeFileSync(labels, ['\tname\tage\tstage', ...rows, ''].join('\n'));
    const { out } = await run('data', 'inspect', labels, '--format', 'table');
    expect(out).toMatch(/format +table of labels/);
    expect(out).toMatch(
      /duplicates +3 units stand again\nnote +column name names every unit differently: put it first/,
    );
  });

  it('imports, lists and validates a dataset', async () => {
    const into = join(folder, 'datasets');
    const imported = await run('data', 'import', file, '--name', 'toy', '--into', into, '--format', 'table');
    expect(imported).toMatchObject({ code: 0, err: '' });
    expect(imported.out).toContain('2 genes × 2 units, counts');
    const again = await run('data', 'import', file, '--name', 'toy', '--into', into, '--format', 'table');
    expect([again.code, again.err]).toEqual([4, expect.stringContaining('exists already')]);
    expect((await run('data', 'list', into, '--format', 'table')).out).toMatch(
      /\ntoy +2 +2 +counts +delimited/,
    );
    expect((await run('data', 'validate', join(into, 'toy'), '--format', 'table')).out).toContain(
      'all as imported',
    );
    writeFileSync(join(into, 'toy', 'values.bin'), 'x');
    const broken = await run('data', 'validate', join(into, 'toy'), '--format', 'table');
    expect([broken.code, broken.err]).toEqual([1, expect.stringMatching(/^E_DATA_FORMAT: toy\/values\.bin/)]);
  });

  it('says what is wrong in two lines', async () => {
    const missing = await run('data', 'inspect', join(folder, 'none.tsv'), '--format', 'table');
    expect(missing).toMatchObject({
      code: 1,
      err: 'E_NOT_FOUND: none.tsv does not exist\nnext: check the path\n',
    });
    const bad = await run('data', 'import', file, '--name', 'toy', '--scale', 'log', '--into', folder);
    expect(bad.err).toContain('E_DATA_SCALE: counts.tsv: declared log, but the numbers look like counts');
  });
});
