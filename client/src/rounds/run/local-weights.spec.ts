import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parameterCount } from '@regulon/shared/models';
import { contractOf, Purpose, RunProgram, type ScheduledRound } from '@regulon/shared/program';
import { testFederation, testPlan } from '../../policy/site.support.js';
import { temporaryFolder } from '../../state/temporary-folder.support.js';
import { LocalWeights } from './local-weights.js';

const GENES = 6;
const head = { name: 'head', layers: [{ type: 'dense', units: 'outputs' }] };
const norm = { name: 'norm', aggregate: 'local', layers: [{ type: 'batch-norm' }] };

function programOf(...blocks: unknown[]): RunProgram {
  const contract = contractOf({
    ...{ runId: new Uint8Array(16), roster: testFederation().roster, isPublic: true },
    plan: testPlan({ model: { blocks } }),
    panel: { digest: new Uint8Array(32), size: GENES },
  });
  return new RunProgram(contract);
}

const fedBn = programOf(norm, head);
const training = fedBn.schedule.filter(({ purpose }) => purpose === Purpose.train);
const [first, second, third] = training as [ScheduledRound, ScheduledRound, ScheduledRound];
const bytesOf = (path: string | undefined): string => readFileSync(path ?? '').toString('hex');

describe('weights that never leave their site', () => {
  it('are no part of what travels: vector, model and its list of weights', () => {
    const travels = GENES * 2 + 2;
    expect(fedBn.vectorLength(first)).toBe(travels);
    expect(parameterCount(fedBn.weightSpecs(0))).toBe(travels);
    expect([...fedBn.initialModel(0)].reduce((n, piece) => n + piece.length, 0)).toBe(travels);
    // scale, shift, and the running mean and variance
    expect(fedBn.initialLocalWeights(0)).toHaveLength(4 * GENES);
  });

  it('go on from round to round, and again from the same ones after a crash', () => {
    const local = new LocalWeights(temporaryFolder('local-weights'), fedBn);
    const start = local.pathsFor(first);
    expect(readFileSync(start.localWeightsPath ?? '')).toHaveLength(16 * GENES);
    writeFileSync(start.nextLocalWeightsPath ?? '', Buffer.from('aa', 'hex'));
    expect(bytesOf(local.pathsFor(second).localWeightsPath)).toBe('aa');
    const again = local.pathsFor(first);
    expect(again).toEqual(start);
    expect(bytesOf(again.localWeightsPath)).not.toBe('aa');
    expect(bytesOf(local.latest(0).localWeightsPath)).toBe('aa');
  });

  it('lie there of the last two rounds only', () => {
    const folder = temporaryFolder('local-weights');
    const local = new LocalWeights(folder, fedBn);
    for (const round of [first, second, third]) {
      writeFileSync(local.pathsFor(round).nextLocalWeightsPath ?? '', 'x');
    }
    expect(readdirSync(folder).sort()).toEqual(['local-0-1.f32', 'local-0-2.f32', 'local-0-first.f32']);
  });

  it('stay as they are where the site was absent', () => {
    const local = new LocalWeights(temporaryFolder('local-weights'), fedBn);
    const paths = local.pathsFor(first);
    writeFileSync(paths.nextLocalWeightsPath ?? '', Buffer.from('bb', 'hex'));
    expect(bytesOf(local.pathsFor(third).localWeightsPath)).toBe('bb');
  });

  it('are not asked for by a model without them', () => {
    const local = new LocalWeights(temporaryFolder('local-weights'), programOf(head));
    expect(local.pathsFor(first)).toEqual({});
    expect(local.latest(0)).toEqual({});
  });
});
