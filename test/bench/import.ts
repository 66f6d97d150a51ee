import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import h5wasm from 'h5wasm/node';
import { RegulonError } from '@regulon/shared/errors';
import type { BenchOptions } from './main.js';
import { type BenchRow, row } from './report.js';
import { inScratchFolder } from './scratch-folder.js';

const GENES = 20_000;
const CELLS = 50_000;
/** every twentieth number is a count, the others are zero */
const STRIDE = 20;
const LIMIT_MB = 1500;
const program = fileURLToPath(new URL('../../../cli/bin/regulon.js', import.meta.url));

interface Size {
  readonly genes: number;
  readonly cells: number;
}

/** Import a matrix that is wider than memory, as CSV and as h5ad, and watch the memory of the importing process. */
export async function run({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  const size: Size = quick ? { genes: 2000, cells: 5000 } : { genes: GENES, cells: CELLS };
  return inScratchFolder(async (folder) => {
    const rows: BenchRow[] = [];
    for (const [name, write] of [
      ['CSV', writeCsv],
      ['h5ad (CSR)', writeH5ad],
    ] as const) {
      const file = join(folder, name === 'CSV' ? 'matrix.csv' : 'matrix.h5ad');
      say(`${name}: writing ${size.genes} genes × ${size.cells} cells`);
      await write(file, size);
      say(`${name}: importing ${(statSync(file).size / 1e6).toFixed(0)} MB`);
      const { seconds, megabytes } = await importing(
        file,
        join(folder, 'stores'),
        name.slice(0, 3).toLowerCase(),
      );
      const against = '';
      rows.push(
        row({ name: `${name}: file`, value: statSync(file).size / 1e6, unit: 'MB', against }),
        row({ name: `${name}: import`, value: seconds, unit: 's', against }),
        row({
          name: `${name}: peak resident memory`,
          value: megabytes,
          unit: 'MB',
          against,
          atMost: LIMIT_MB,
        }),
      );
    }
    return rows;
  });
}

const geneName = (g: number): string => `ENSG${String(g + 1).padStart(11, '0')}`;
/** A count that looks like one, the same in both files. */
const countOf = (gene: number, cell: number): number =>
  (gene * 7 + cell * 13) % STRIDE === 0 ? 1 + ((gene * 31 + cell * 17) % 97) : 0;

async function writeCsv(path: string, { genes, cells }: Size): Promise<void> {
  const file = openSync(path, 'w');
  writeSync(file, `gene,${Array.from({ length: cells }, (_, c) => `cell${c}`).join(',')}\n`);
  for (let g = 0; g < genes; g++) {
    const values = Array.from({ length: cells }, (_, c) => countOf(g, c));
    writeSync(file, `${geneName(g)},${values.join(',')}\n`);
  }
  closeSync(file);
}

async function writeH5ad(path: string, { genes, cells }: Size): Promise<void> {
  await h5wasm.ready;
  const file = new h5wasm.File(path, 'w');
  const frame = (at: string, names: string[]): void => {
    const group = file.create_group(at);
    group.create_attribute('_index', '_index');
    group.create_dataset({ name: '_index', data: names });
  };
  frame(
    'obs',
    Array.from({ length: cells }, (_, c) => `cell${c}`),
  );
  frame(
    'var',
    Array.from({ length: genes }, (_, g) => geneName(g)),
  );
  const x = file.create_group('X');
  x.create_attribute('encoding-type', 'csr_matrix');
  x.create_attribute('shape', Int32Array.of(cells, genes), [2], '<i');
  const growing = {
    shape: [0],
    maxshape: [null],
    chunks: [2 ** 18],
    compression: 'gzip' as const,
    compression_opts: 1,
  };
  const data = x.create_dataset({ name: 'data', data: new Float32Array(0), ...growing });
  const indices = x.create_dataset({ name: 'indices', data: new Int32Array(0), ...growing });
  const indptr = new Int32Array(cells + 1);
  let stored = 0;
  for (let first = 0; first < cells; first += 500) {
    const values: number[] = [];
    const columns: number[] = [];
    for (let c = first; c < Math.min(cells, first + 500); c++) {
      for (let g = 0; g < genes; g++) {
        const count = countOf(g, c);
        if (count === 0) continue;
        values.push(count);
        columns.push(g);
      }
      indptr[c + 1] = stored + values.length;
    }
    const range: [number, number] = [stored, stored + values.length];
    for (const dataset of [data, indices]) dataset.resize([range[1]]);
    data.write_slice([range], Float32Array.from(values));
    indices.write_slice([range], Int32Array.from(columns));
    stored = range[1];
  }
  x.create_dataset({ name: 'indptr', data: indptr });
  file.close();
}

async function importing(
  file: string,
  into: string,
  name: string,
): Promise<{ seconds: number; megabytes: number }> {
  mkdirSync(into, { recursive: true });
  let peak = 0;
  const begin = performance.now();
  const child = spawn(process.execPath, [program, 'data', 'import', file, '--into', into, '--name', name], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const timer = setInterval(() => (peak = Math.max(peak, peakOf(child.pid ?? 0))), 200);
  const status = await new Promise<number | null>((done) => child.on('exit', done));
  clearInterval(timer);
  if (status !== 0) throw new RegulonError('E_INTERNAL', `the import ended with status ${status}`);
  return { seconds: (performance.now() - begin) / 1000, megabytes: peak / 1e6 };
}

/** Peak resident memory of a process so far, bytes; 0 when it is gone or there is no /proc. */
function peakOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
