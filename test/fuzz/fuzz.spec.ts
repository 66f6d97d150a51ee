import { afterAll, describe, expect, it } from '@jest/globals';
import { corpusOf } from './harness/corpus.js';
import { describeFailure, Fuzzer } from './harness/fuzzer.js';
import { tally } from '../support/tally.js';
import { allTargets } from './targets/index.js';

const INPUTS = 4_000;
const SEED = 20_261_121;

const targets = allTargets();
let total = 0;

describe('decoders of bytes from outside', () => {
  afterAll(async () => {
    for (const target of targets) await target.close?.();
  });

  it.each(targets.map((target) => [target.name, target] as const))('%s', async (name, target) => {
    const corpus = corpusOf(name);
    const fuzzer = new Fuzzer(target, corpus, SEED);
    for (const input of corpus) await fuzzer.replay(input);
    while (fuzzer.inputs < (target.inputs ?? INPUTS)) await fuzzer.step();
    total += fuzzer.inputs;
    expect([...fuzzer.failures.values()].map(describeFailure)).toEqual([]);
    expect(fuzzer.ways).toBeGreaterThan(1);
    tally('inputs fuzzed', 'accepted', fuzzer.accepted);
    tally('inputs fuzzed', 'refused by name', fuzzer.inputs - fuzzer.accepted);
  });

  it('have a corpus of what the encoders give, and saw more than 100,000 inputs', () => {
    for (const { name, examples } of targets)
      expect(corpusOf(name).length).toBeGreaterThanOrEqual(examples().length);
    expect(total).toBeGreaterThan(100_000);
  });
});
