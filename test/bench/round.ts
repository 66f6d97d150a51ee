import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchOptions } from './main.js';
import { type MeasuredRun, measureRun, median } from './federation.js';
import { type BenchRow, row } from './report.js';

const SITES = ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'];
const GENES = 2000;
const CLASSES = 3;
const MB = 1e6;

interface Size {
  readonly label: string;
  /** hidden units: parameters = units · (genes + 1 + classes) + classes */
  readonly units: number;
  readonly rounds: number;
  readonly goalSeconds: number;
}

const sizes: readonly Size[] = [
  { label: '1.3 M', units: 650, rounds: 8, goalSeconds: 0.8 },
  { label: '10 M', units: 4990, rounds: 5, goalSeconds: 3 },
  { label: '50 M', units: 24_950, rounds: 3, goalSeconds: 12 },
];

/** Five sites, secure aggregation on, training replaced by returning the weights. */
export async function run({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  let smallest: number | undefined;
  for (const size of quick ? sizes.slice(0, 1) : sizes) {
    say(`${size.label} parameters: ${size.rounds} rounds of ${SITES.length} sites`);
    const parameters = size.units * (GENES + 1 + CLASSES) + CLASSES;
    const measured = await measureRun(planOf(size), { skipTraining: true });
    const plain = plainAverageSeconds(parameters);
    rows.push(...rowsOf(size, measured, plain));
    const coordinator = measured.memory.byName['coordinator'] ?? 0;
    smallest ??= coordinator;
    rows.push(
      row({
        name: `${size.label}: coordinator peak memory`,
        value: coordinator / MB,
        unit: 'MB',
        against: 'the same process at 1.3 M',
        reference: smallest / MB,
      }),
    );
    if (coordinator !== smallest) {
      rows.push(
        row({
          name: `${size.label}: coordinator growth over 1.3 M`,
          value: (coordinator - smallest) / MB,
          unit: 'MB',
          against: '',
          atMost: 100,
        }),
      );
    }
  }
  return rows;
}

function rowsOf(size: Size, { document, intervals, memory }: MeasuredRun, plain: number): BenchRow[] {
  // the first training round also makes the initial model
  const training = intervals.filter((i) => i.purpose === 'train').slice(1);
  const facts = document.rounds.filter((r) => r.purpose === 'train').slice(1);
  const stages = [...new Set(facts.flatMap((f) => Object.keys(f.stageSeconds)))];
  const sites = Object.entries(memory.byName).filter(([name]) => name !== 'coordinator');
  const ofStages = stages.map((stage) =>
    row({
      name: `${size.label}: of that, ${stage}`,
      value: median(facts.map((f) => f.stageSeconds[stage] ?? 0)),
      unit: 's',
      against: '',
    }),
  );
  const bytes = facts[0] ? facts[0].bytesUpPerSite + facts[0].bytesDownPerSite : 0;
  return [
    row({
      ...{
        name: `${size.label}: round, median (less is better)`,
        value: median(training.map((i) => i.seconds)),
        unit: 's',
      },
      ...{
        against: 'reading and averaging five such files in one process',
        reference: plain,
        atMost: size.goalSeconds,
      },
    }),
    ...ofStages,
    row({
      name: `${size.label}: site peak memory, with its trainer`,
      value: Math.max(...sites.map(([, b]) => b)) / MB,
      unit: 'MB',
      against: '',
    }),
    row({
      name: `${size.label}: all processes together`,
      value: memory.together / MB,
      unit: 'MB',
      against: '',
    }),
    row({
      name: `${size.label}: bytes up and down a site and round`,
      value: bytes / MB,
      unit: 'MB',
      against: '',
    }),
    row({
      name: `${size.label}: coordinator's event loop blocked at most`,
      value: document.eventLoopMaxMs,
      unit: 'ms',
      against: '',
      atMost: 50,
    }),
  ];
}

function planOf({ units, rounds }: Size): unknown {
  return {
    schema: 'regulon.plan/1',
    name: 'bench-round',
    seed: 1,
    sites: SITES,
    dataset: { name: 'simulated-rnaseq', kind: 'expression', scale: 'counts', unit: 'patient' },
    task: 'classify',
    label: { classes: ['Basal', 'LumA', 'LumB'].map((name) => ({ name, rule: `subtype == "${name}"` })) },
    prepare: [{ step: 'log2-cpm' }],
    model: {
      blocks: [
        {
          name: 'mlp',
          layers: [
            { type: 'dense', units, activation: 'relu' },
            { type: 'dense', units: 'outputs' },
          ],
        },
      ],
    },
    training: { rounds, optimizer: { name: 'sgd', learningRate: 0.1 } },
    evaluation: { split: 'holdout' },
    secureAggregation: { weightCap: 256 },
  };
}

/** Seconds to read five float32 files of this size and write their mean: what plain averaging cannot go below here. */
function plainAverageSeconds(parameters: number): number {
  const folder = mkdtempSync(join(tmpdir(), 'regulon-plain-'));
  try {
    const path = join(folder, 'update');
    writeFileSync(path, new Uint8Array(4 * parameters));
    const started = performance.now();
    const sum = new Float32Array(parameters);
    for (let site = 0; site < SITES.length; site++) {
      const bytes = readFileSync(path);
      const update = new Float32Array(bytes.buffer, bytes.byteOffset, parameters);
      for (let k = 0; k < parameters; k++) sum[k] = (sum[k] ?? 0) + (update[k] ?? 0) / SITES.length;
    }
    writeFileSync(path, sum);
    return (performance.now() - started) / 1000;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
