/** One plan twice with real processes: undisturbed, and with every daemon behind a bad line that also fails for a while. */
import { join } from 'node:path';
import type { RunDocument } from '@regulon/coordinator/runs';
import type { LineFaults } from '../../support/faults/index.js';
import { type MoreConfiguration, openRealFederation, runToItsEnd } from '../../support/real-federation.js';
import { BadLines } from './bad-lines.js';

const sites = ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'];

/** How bad the lines are, and how long the coordinator waits for those who are gone. */
export interface Weather {
  readonly faults: Partial<LineFaults>;
  /** how long nothing passes, once, in the middle of uploads */
  readonly outageMs: number;
  /** the outage begins when the daemons have sent so many bytes in all */
  readonly outageAfterBytes: number;
  readonly rounds: number;
  /** width of the hidden layer; a site uploads about 1,000 words for each unit, 4 bytes each */
  readonly units: number;
  /** `rounds` of the coordinator's configuration */
  readonly patience: Readonly<Record<string, unknown>>;
}

/** How a run over bad lines ended. */
export interface RoughRun {
  readonly document: RunDocument;
  readonly seconds: number;
  readonly connections: number;
  readonly resets: number;
  /** how long nothing passed, s; 0 when the run ended before */
  readonly outageSeconds: number;
}

const planOf = ({ rounds, units }: Weather): Record<string, unknown> => ({
  schema: 'regulon.plan/1',
  name: 'bad-line',
  seed: 5,
  sites,
  dataset: { name: 'simulated-rnaseq', kind: 'expression', scale: 'counts', unit: 'patient' },
  task: 'classify',
  label: { classes: ['Basal', 'LumA', 'LumB'].map((name) => ({ name, rule: `subtype == "${name}"` })) },
  prepare: [{ step: 'log2-cpm' }, { step: 'top-variance', k: 1000 }, { step: 'z-score' }],
  model: {
    blocks: [
      {
        name: 'net',
        layers: [
          { type: 'dense', units, activation: 'relu' },
          { type: 'dense', units: 'outputs' },
        ],
      },
    ],
  },
  training: { rounds, optimizer: { name: 'adam' } },
  evaluation: { split: 'holdout' },
  secureAggregation: { weightCap: 128 },
  deadlines: { roundDeadlineSeconds: 1800, idleLimitSeconds: 3600 },
});

/** Run id and rounding streams are injected: with the same survivors the model must be the same. */
const injected = ({ patience }: Weather): Required<Pick<MoreConfiguration, 'coordinator' | 'site'>> => ({
  coordinator: { allowTesting: true, testing: { runId: '5b'.repeat(16) }, rounds: patience },
  site: (name) => ({
    allowTesting: true,
    testing: { roundingSecret: Buffer.from(name.padEnd(32, '.')).toString('hex') },
  }),
});

/** The run without any line in between. */
export async function calmRun(root: string, weather: Weather): Promise<RunDocument> {
  const { federation, plan } = await openRealFederation(
    join(root, 'calm'),
    planOf(weather),
    injected(weather),
  );
  try {
    return await runToItsEnd(federation, plan);
  } finally {
    await federation.stop();
  }
}

/** The same run behind bad lines. @param say progress for people */
export async function roughRun(
  root: string,
  weather: Weather,
  say: (text: string) => void = () => undefined,
): Promise<RoughRun> {
  const lines = new BadLines();
  const { coordinator, site } = injected(weather);
  const start = performance.now();
  const { federation, plan } = await openRealFederation(join(root, 'rough'), planOf(weather), {
    coordinator,
    addresses: (at) => lines.open(sites, at, weather.faults),
    site: (name) => ({ ...site(name), coordinator: lines.coordinatorOf(name) }),
  });
  let outage: Promise<void> | undefined;
  let outageSeconds = 0;
  const meanwhile = async (): Promise<void> => {
    if (outage !== undefined || lines.uploaded < weather.outageAfterBytes) return;
    say(`${lines.uploaded} bytes are uploaded: nothing passes for ${weather.outageMs / 1000} s`);
    outage = lines.outage(weather.outageMs).then(() => {
      outageSeconds = weather.outageMs / 1000;
      say('the outage is over');
    });
  };
  try {
    const document = await runToItsEnd(federation, plan, meanwhile);
    return { document, seconds: (performance.now() - start) / 1000, ...lines.seen, outageSeconds };
  } finally {
    await federation.stop();
    await lines.close();
    await outage;
  }
}
