import { RegulonError, explainError } from '@regulon/shared/errors';
import { type BenchReport, type BenchRow, machineOf, renderReport } from './report.js';

/** How a benchmark is run. */
export interface BenchOptions {
  /** ends within 45 s on 2 cores */
  readonly quick: boolean;
  /** progress, one line at a time, to stderr */
  readonly say: (line: string) => void;
}

const benches: Record<string, () => Promise<{ run(options: BenchOptions): Promise<BenchRow[]> }>> = {
  round: () => import('./round.js'),
  mlp: () => import('./mlp.js'),
  mask: () => import('./mask.js'),
  fold: () => import('./fold.js'),
  upload: () => import('./upload.js'),
  uploads: () => import('./uploads.js'),
  secagg: () => import('./secagg.js'),
  training: () => import('./training.js'),
  kernels: () => import('./kernels.js'),
  import: () => import('./import.js'),
  genomics: () => import('./genomics.js'),
  privacy: () => import('./privacy.js'),
  'private-steps': () => import('./private-cost.js'),
  audit: () => import('./audit.js'),
  'audit-append': () => import('./audit-append.js'),
  'audit-flips': () => import('./audit-flips.js'),
  'audit-run': () => import('./audit-run.js'),
  'audit-log': () => import('./audit-log.js'),
};

async function main(argv: readonly string[]): Promise<number> {
  const name = argv.find((a) => !a.startsWith('--'));
  const format = argv.includes('--format')
    ? argv[argv.indexOf('--format') + 1]
    : argv.includes('--format=json')
      ? 'json'
      : 'table';
  const load = name === undefined ? undefined : benches[name];
  if (!name || !load) {
    throw new RegulonError('E_ARGUMENT', `no benchmark named ${name ?? '(none)'}`, {
      hint: `npm run bench -- ${Object.keys(benches).join('|')} [--quick] [--format json]`,
    });
  }
  const bench = await load();
  const rows = await bench.run({
    quick: argv.includes('--quick'),
    say: (line) => process.stderr.write(`${line}\n`),
  });
  const report: BenchReport = { schema: 'regulon.bench/1', name, machine: machineOf(), rows };
  process.stdout.write(format === 'json' ? `${JSON.stringify(report)}\n` : `${renderReport(report)}\n`);
  return rows.every((r) => r.ok !== false) ? 0 : 1;
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${explainError(error)}\n`);
    process.exitCode = error instanceof RegulonError ? error.exitCode : 5;
  },
);
