import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { importFile } from '@regulon/client/data';
import { initSite } from '@regulon/client/enrol';

const program = join(process.cwd(), 'cli/bin/regulon.js');
const GENES = ['ENSG00000000003', 'ENSG00000000005', 'ENSG00000000419'];
const UNITS = ['P1', 'P2', 'P3', 'P4', 'P5', 'P6'];

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-commit-'));
  await initSite(join(folder, 'state'), 'site-a', 'Hospital A');
  writeFileSync(
    join(folder, 'policy.yaml'),
    stringify({ schema: 'regulon.site-policy/1', purposes: ['research'] }),
  );
  const rows = GENES.map((gene, g) => [gene, ...UNITS.map((_, u) => 7 * g + u + 1)].join('\t'));
  writeFileSync(join(folder, 'counts.tsv'), `gene\t${UNITS.join('\t')}\n${rows.join('\n')}\n`);
  await importFile(join(folder, 'counts.tsv'), { name: 'brca', folder });
});
afterAll(() => rmSync(folder, { recursive: true }));

async function commit(counts: string): Promise<Record<string, unknown>> {
  const config = join(folder, 'daemon.yaml');
  const dataset = { name: 'brca', kind: 'expression', scale: 'counts', unit: 'patient', counts };
  writeFileSync(
    config,
    stringify({
      ...{ schema: 'regulon.daemon/1', site: 'site-a', stateFolder: 'state', federation: 'fed' },
      ...{ rosterHash: 'ab'.repeat(32), coordinator: { host: 'localhost', controlPort: 1 } },
      ...{ tls: { cert: 'c', key: 'k', ca: 'a' }, policyFile: 'policy.yaml', dataset },
    }),
  );
  const { stdout } = await promisify(execFile)(process.execPath, [
    program,
    'data',
    'commit',
    '--config',
    config,
  ]);
  return (JSON.parse(stdout) as { data: Record<string, unknown> }).data;
}

describe('regulon data commit', () => {
  it('commits to an imported dataset as to the file that it came from; the salt stays, other data differ', async () => {
    const stored = await commit('brca');
    const { panel } = JSON.parse(readFileSync(join(folder, 'brca', 'manifest.json'), 'utf8')) as {
      panel: string;
    };
    expect(stored).toMatchObject({ dataset: 'brca', panel: { digest: `sha256:${panel}`, size: 3 } });
    expect(stored['commitment']).toMatch(/^sha256:[0-9a-f]{64}$/);
    // only an import writes a quality report
    expect(stored['qualityReport']).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await commit('counts.tsv')).toEqual({ ...stored, qualityReport: null });
    const text = readFileSync(join(folder, 'counts.tsv'), 'utf8');
    writeFileSync(join(folder, 'counts.tsv'), text.replace('\t3\t', '\t4\t'));
    expect((await commit('counts.tsv'))['commitment']).not.toBe(stored['commitment']);
  });
});
