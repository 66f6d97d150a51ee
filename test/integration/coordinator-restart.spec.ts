import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InlineAggregator } from '@regulon/coordinator/aggregation';
import { SimulatedFederation } from '../support/coordinator/simulated-federation.js';
import { toyPlan } from '../support/toy-plan.js';

const TRAINING = 1;

describe('coordinator that dies and starts again', () => {
  let folder: string;
  const fatal: unknown[] = [];
  let expected: string | null | undefined;
  const environment = {
    aggregator: new InlineAggregator(),
    fatal: (error: unknown) => void fatal.push(error),
  };

  beforeEach(() => {
    fatal.length = 0;
    folder = mkdtempSync(join(tmpdir(), 'regulon-restart-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Run to the end; die when a site hears of this stage. @returns digest of the model */
  async function modelOf(dieAt: string | null): Promise<string | null> {
    const testing = { allowTesting: true, testing: { runId: '07'.repeat(16) } };
    const federation = new SimulatedFederation(join(folder, dieAt ?? 'never'), 5, testing, environment);
    await federation.open();
    const restart: { done?: Promise<void> } = {};
    const before = (_: unknown, { stage, round }: { stage: string; round: number }): void => {
      if (restart.done || stage !== dieAt || round !== TRAINING) return;
      restart.done = federation.close().then(() => federation.open());
      throw new Error('the coordinator died');
    };
    federation.connect({ 3: { before } });
    await federation.prepare();
    const rounds = { prepare: [], training: { rounds: 2, optimizer: { name: 'adam' } } };
    const run = await federation.submit(toyPlan(federation.names, rounds));
    const end = Date.now() + 30_000;
    if (dieAt !== null)
      while (!restart.done && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
    await restart.done;
    const document = await federation.finished(run);
    expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
    await federation.close();
    return document.modelDigest;
  }

  it.each(['r0', 'r1', 'r2', 'r3', 'r4', 'closed'])(
    'goes on to the same model when it died at %s',
    async (stage) => {
      expected ??= await modelOf(null);
      expect(await modelOf(stage)).toBe(expected);
      expect(fatal).toEqual([]);
    },
  );
});
