import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { crashSteps as siteSteps } from '@regulon/client/config';
import { crashSteps } from '@regulon/coordinator/config';
import type { RunDocument } from '@regulon/coordinator/runs';
import {
  compiled,
  type MoreConfiguration,
  openRealFederation,
  restart,
  runToItsEnd,
} from '../support/real-federation.js';
import { tally } from '../support/tally.js';
import { simulatedDataPlan } from '../support/toy-plan.js';

const names = ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'];
/** counts, mean and variance come first */
const FIRST_TRAINING = 3;
const crashes = [
  ...crashSteps.map((step) => ['coordinator', step] as const),
  ...siteSteps.map((step, i) => [names[i % 5] ?? '', step] as const),
];
const plan = simulatedDataPlan(names, {
  name: 'crash-test',
  prepare: [{ step: 'log2-cpm' }, { step: 'top-variance', k: 200 }, { step: 'z-score' }],
  model: {
    blocks: [
      {
        name: 'net',
        layers: [
          { type: 'dense', units: 16, activation: 'relu' },
          { type: 'dense', units: 'outputs' },
        ],
      },
    ],
  },
  training: { rounds: crashes.length, optimizer: { name: 'adam' } },
});
/** Run id and rounding streams are injected: with the same survivors the model must be the same. */
const injected: MoreConfiguration = {
  coordinator: {
    allowTesting: true,
    testing: { runId: '5a'.repeat(16) },
    rounds: { stageSeconds: { advertise: 60, share: 60, input: 120, consistency: 60, unmask: 60 } },
  },
  site: (name) => ({
    allowTesting: true,
    testing: { roundingSecret: Buffer.from(name.padEnd(32, '.')).toString('hex') },
  }),
};
/** The n-th crash happens in the n-th training round. */
const crashesOf = (who: string): string[] =>
  crashes.flatMap(([name, step], i) => (name === who ? [`${step}#${FIRST_TRAINING + i}`] : []));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'regulon-crash-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function uninterrupted(): Promise<RunDocument> {
  const { federation, plan: parsed } = await openRealFederation(join(root, 'calm'), plan, injected);
  try {
    return await runToItsEnd(federation, parsed);
  } finally {
    await federation.stop();
  }
}

async function interrupted(seen: string[]): Promise<RunDocument> {
  const testing = (who: string, more: Readonly<Record<string, unknown>> = {}): object => ({
    ...more,
    testing: { ...(more['testing'] as object), crashAt: crashesOf(who)[0] },
  });
  const { federation, plan: parsed } = await openRealFederation(join(root, 'crashes'), plan, {
    coordinator: { ...injected.coordinator, ...testing('coordinator', injected.coordinator) },
    site: (name) => ({ ...injected.site?.(name), ...testing(name, injected.site?.(name)) }),
  });
  const pending = new Map(['coordinator', ...names].map((who) => [who, crashesOf(who)]));
  const bringBack = async (): Promise<void> => {
    const alive = new Set(federation.supervisor.running().map(({ name }) => name));
    for (const [who, steps] of pending) {
      if (alive.has(who)) continue;
      seen.push(`${who} ${steps.shift() ?? 'without a crash point'}`);
      await restart(federation, who, steps[0]);
    }
  };
  try {
    return await runToItsEnd(federation, parsed, bringBack);
  } finally {
    await federation.stop();
  }
}

const crash = compiled ? it : it.skip;

describe('a crash is a pause', () => {
  crash(
    'SIGKILL after every persisted step of coordinator and daemons: the run ends with the model of the uninterrupted run (needs the compiled programs)',
    async () => {
      const calm = await uninterrupted();
      expect(calm).toMatchObject({ status: 'COMPLETED' });
      const seen: string[] = [];
      const rough = await interrupted(seen);
      expect([...seen].sort()).toEqual(
        crashes.map(([who, step], i) => `${who} ${step}#${FIRST_TRAINING + i}`).sort(),
      );
      expect(rough).toMatchObject({ status: 'COMPLETED', modelDigest: calm.modelDigest });
      expect(rough.rounds.map((r) => r.survivors.length)).toEqual(calm.rounds.map(() => 5));
      for (const [who, step] of crashes)
        tally('processes killed', `${who === 'coordinator' ? 'coordinator' : 'site'} ${step}`);
    },
    1_800_000,
  );
});
