import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { RegulonError } from '@regulon/shared/errors';
import { emptySpecification, type FeatureSpecification } from '@regulon/shared/genomics';
import { decodeFixed } from '@regulon/shared/secagg';
import { type CohortSize, pipelineSteps } from './genomics/pipeline.js';
import type { SiteAnswer, SiteQuestion } from './genomics/site-main.js';
import type { BenchOptions } from './main.js';
import { type BenchRow, row } from './report.js';
import { inScratchFolder } from './scratch-folder.js';

const SITE = fileURLToPath(new URL('./genomics/site-main.js', import.meta.url));
/** The script is read where it is written: the compiler does not copy it. */
const NUMPY = fileURLToPath(new URL('../../bench/genomics/pooled-reference.py', import.meta.url));
const OUTPUT_BYTES = 64 << 20;

interface Pooled {
  readonly seconds: number;
  /** processor time, user and system, s */
  readonly cpuSeconds: number;
  readonly genes: number;
  readonly chosen: readonly number[];
  readonly checks: readonly [number, number];
}

interface Federated extends Omit<Pooled, 'genes'> {
  readonly rounds: number;
  readonly peakBytes: number;
}

/**
 * The whole preparation of five sites beside the same one pooled, in numpy, in the same run: seconds, memory of a site.
 *
 * Each site is a process of its own; sums go through the fixed-point ring, without masks. `REGULON_NUMPY_PYTHON` names a
 * Python with numpy; without one the comparison is skipped.
 */
export async function run({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  const size: CohortSize = quick
    ? { genes: 2000, patients: 200, sites: 5, top: 500 }
    : { genes: 20_000, patients: 1000, sites: 5, top: 2000 };
  return inScratchFolder(async (folder) => {
    const files = Array.from({ length: size.sites }, (_, site) => join(folder, `site-${site}.i32`));
    say(`${size.sites} sites: ${size.genes} genes × ${size.patients} patients`);
    const federated = await federatedRun(size, files, say);
    const pooled = await pooledRun(size, files, say);
    if (pooled) verifySame(federated, pooled);
    // on a small cohort only the start of a process and of a round would be measured
    const atMost = (limit: number) => (quick ? {} : { atMost: Math.round(100 * limit) / 100 });
    const matrix = (size.genes * size.patients * 8) / size.sites;
    return [
      row({
        ...{ name: 'preparation, five sites', value: federated.seconds, unit: 's' },
        ...(pooled
          ? { against: 'numpy, pooled', reference: pooled.seconds, ...atMost(3 * pooled.seconds) }
          : { against: 'numpy: not found, skipped' }),
      }),
      row({
        ...{ name: 'processor time, five sites', value: federated.cpuSeconds, unit: 's' },
        ...{ against: 'numpy, pooled', ...(pooled ? { reference: pooled.cpuSeconds } : {}) },
      }),
      row({ name: 'rounds', value: federated.rounds, unit: '', against: '' }),
      row({
        ...{ name: 'memory of a site beyond the program', value: federated.peakBytes / 1e6, unit: 'MB' },
        ...{ against: 'its matrix (float64)', reference: matrix / 1e6, ...atMost((3 * matrix) / 1e6) },
      }),
    ];
  });
}

/** Round by round over the sites; making the counts does not count. */
async function federatedRun(
  size: CohortSize,
  files: readonly string[],
  say: BenchOptions['say'],
): Promise<Federated> {
  const sites = files.map(() => fork(SITE, { serialization: 'advanced' }));
  try {
    await Promise.all(
      sites.map((site, i) => ask(site, { kind: 'load', site: i, size, file: files[i] ?? '' })),
    );
    const started = performance.now();
    let specification = emptySpecification({ panelDigest: new Uint8Array(32), genes: size.genes });
    const steps = pipelineSteps(size);
    for (const [step, round] of steps.entries()) {
      const from = performance.now();
      const question = { kind: 'sum', step, specification } as const;
      const answers = await Promise.all(sites.map((site) => ask(site, question)));
      specification = round.fit(specification, addedUp(answers, round.fractionBits), size.sites);
      say(`${round.id}: ${((performance.now() - from) / 1000).toFixed(2)} s`);
    }
    const last = await Promise.all(sites.map((site) => ask(site, { kind: 'transform', specification })));
    const seconds = (performance.now() - started) / 1000;
    const check = (k: 0 | 1): number => last.reduce((sum, { checks }) => sum + (checks?.[k] ?? NaN), 0);
    return {
      ...{ seconds, rounds: steps.length, peakBytes: Math.max(...last.map(({ peakBytes }) => peakBytes)) },
      cpuSeconds: last.reduce((sum, site) => sum + site.cpuSeconds, 0),
      ...{ chosen: chosenOf(specification), checks: [check(0), check(1)] },
    };
  } finally {
    sites.forEach((site) => site.kill());
  }
}

const chosenOf = ({ keptGenes }: FeatureSpecification): number[] => Array.from(keptGenes);

function addedUp(answers: readonly SiteAnswer[], fractionBits: number): Float64Array {
  const sums = answers.map(({ words }) => decodeFixed(words ?? new Uint8Array(0), fractionBits));
  return sums.reduce((a, b) => a.map((x, k) => x + (b[k] ?? 0)));
}

async function ask(site: ChildProcess, question: SiteQuestion): Promise<SiteAnswer> {
  const answered = new AbortController();
  const { signal } = answered;
  const ended = once(site, 'exit', { signal }).then(([status]) => {
    throw new RegulonError('E_INTERNAL', `a site of the benchmark ended with status ${status}`);
  });
  site.send(question);
  try {
    const [answer] = (await Promise.race([once(site, 'message', { signal }), ended])) as [SiteAnswer];
    return answer;
  } finally {
    ended.catch(() => undefined);
    answered.abort();
  }
}

/** The same with numpy; null without one. */
async function pooledRun(
  { genes, top }: CohortSize,
  files: readonly string[],
  say: BenchOptions['say'],
): Promise<Pooled | null> {
  const python = process.env['REGULON_NUMPY_PYTHON'] ?? process.env['REGULON_TORCH_PYTHON'] ?? 'python3';
  const run = promisify(execFile);
  try {
    await run(python, ['-c', 'import numpy']);
  } catch {
    say('no numpy (REGULON_NUMPY_PYTHON): the comparison is skipped');
    return null;
  }
  const asked = JSON.stringify({ genes, top, files });
  const { stdout } = await run(python, [NUMPY, asked], { maxBuffer: OUTPUT_BYTES });
  return JSON.parse(stdout) as Pooled;
}

/** @throws E_INTERNAL when the two pipelines do not agree: then neither time means anything */
function verifySame({ chosen, checks }: Federated, pooled: Pooled): void {
  const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * Math.abs(b);
  const isSame =
    chosen.join() === pooled.chosen.join() &&
    near(checks[0], pooled.checks[0]) &&
    near(checks[1], pooled.checks[1]);
  if (isSame) return;
  const common = chosen.filter((gene) => pooled.chosen.includes(gene)).length;
  throw new RegulonError(
    'E_INTERNAL',
    `the preparations differ: ${common} of ${chosen.length} genes in common, sums ${checks[0]} and ${pooled.checks[0]}`,
  );
}
