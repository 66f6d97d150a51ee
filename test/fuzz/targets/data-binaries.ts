import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importFile, loadDataset, verifyStore } from '@regulon/client/data';
import { changeJson } from '../grammar/json.js';
import { mustHold, type Target } from '../harness/target.js';
import { IMPORT_CODES, inspectOne } from './data-texts.js';

/** A call that takes longer is taken for damage; a whole file takes a few of them. */
const PATIENCE_MS = 2_000;

/** A binary file; its seeds were written once by the libraries of these formats and are kept as `kept-*`. */
function binaryTarget(name: string, file: string, inputs: number): Target {
  const home = mkdtempSync(join(tmpdir(), 'regulon-fuzz-'));
  const path = join(home, file);
  return {
    name,
    codes: IMPORT_CODES,
    examples: () => [],
    async run(input) {
      writeFileSync(path, input);
      await inspectOne(path, { patienceMs: PATIENCE_MS });
    },
    inputs,
    close: () => rmSync(home, { recursive: true }),
  };
}

/** A file of an imported dataset, changed after the import. */
function storeTarget(file: 'manifest.json' | 'genes.json' | 'values.bin'): Target {
  const home = mkdtempSync(join(tmpdir(), 'regulon-fuzz-'));
  const [whole, changed] = [join(home, 'whole'), join(home, 'changed')];
  let ready: Promise<unknown> | undefined;
  const prepare = async (): Promise<void> => {
    writeFileSync(join(home, 'x.tsv'), 'gene\tP1\tP2\nENSG00000000003\t5\t0\nENSG00000000005\t700\t9\n');
    await importFile(join(home, 'x.tsv'), { name: 'whole', folder: home });
    cpSync(whole, changed, { recursive: true });
  };
  return {
    name: `store-${file.split('.')[0]}`,
    codes: IMPORT_CODES,
    examples: () => [],
    async run(input) {
      ready ??= prepare();
      await ready;
      writeFileSync(join(changed, file), input);
      verifyStore(changed);
      const { values, unitIds, genes } = await loadDataset({
        counts: changed,
        kind: 'expression',
        scale: 'counts',
      });
      mustHold(values.length === unitIds.length * genes.length, 'a matrix of another size than its names');
      mustHold(
        file === 'manifest.json' || readFileSync(join(whole, file)).equals(input),
        'a changed file was accepted',
      );
    },
    ...(file.endsWith('.json') ? { change: changeJson } : {}),
    inputs: 300,
    close: () => rmSync(home, { recursive: true }),
  };
}

/** Binary files that hospitals, their machines and repositories write, and imported datasets. */
export const binaryTargets = (): Target[] => [
  binaryTarget('cel-file', 'x.CEL', 400),
  binaryTarget('parquet-file', 'x.parquet', 300),
  binaryTarget('h5ad-file', 'x.h5ad', 16),
  binaryTarget('tenx-h5-file', 'x.h5', 12),
  binaryTarget('zarr-file', 'x.zarr.zip', 16),
  storeTarget('manifest.json'),
  storeTarget('genes.json'),
  storeTarget('values.bin'),
];
