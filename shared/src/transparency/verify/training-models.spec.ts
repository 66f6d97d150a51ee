import { describe, expect, it } from '@jest/globals';
import { canonicalJsonBytes, enc, sha256, utf8 } from '../../crypto/index.js';
import { digestBytes, digestText } from '../entries/fields.js';
import type { ApprovedRun } from './approval-rows.js';
import type { VerifyContext } from './context.js';
import { Findings } from './findings.js';
import { checkModels } from './model-rows.js';
import type { ClosedRound } from './opened-rounds.js';
import type { RunView } from './run-view.js';
import { checkTraining } from './training-rows.js';

const model = (k: number): string => digestText(new Uint8Array(32).fill(k));
const evaluated = (...models: string[]): string =>
  digestText(sha256(enc(utf8('regulon/evaluation/v1'), ...models.map(digestBytes))));

interface Round {
  readonly purpose?: string;
  readonly stepId: string;
  readonly modelIn: string;
  readonly modelOut: string;
}
/** Rounds of one arm, one after the other; the entries of round k stand at 10 k and 10 k + 5. */
const placed = (rounds: readonly Round[]) =>
  rounds.map(({ purpose = 'train', stepId, modelIn, modelOut }, k) => {
    const place = { round: k, attempt: 0 };
    const opening = { purpose, stepId, arm: 0, modelIn, context: String(k) };
    return {
      open: { index: 10 * k, entry: { kind: 'round.open', ...place, body: opening } },
      aggregate: { index: 10 * k + 5, entry: { kind: 'round.aggregate', ...place, body: { modelOut } } },
    };
  });

/** What rows S2 and S4 say of these rounds under a plan of two training rounds. */
function noted(rounds: readonly Round[], plan: object): string[] {
  const findings = new Findings();
  const bytes = canonicalJsonBytes({ training: { rounds: '2' }, evaluation: {}, ...plan });
  const context = { findings, log: { resolve: () => bytes } } as unknown as VerifyContext;
  const approved = { proposal: { entry: { body: { plan: {} } } } } as unknown as ApprovedRun;
  const all = placed(rounds);
  const view = {
    ...{ opens: all.map(({ open }) => open), aggregates: all.map(({ aggregate }) => aggregate) },
    ...{ contributions: [], acks: [], finish: undefined },
  } as unknown as RunView;
  checkTraining(context, view, approved);
  checkModels(context, view, all as unknown as ClosedRound[]);
  return findings.list.map(({ rule, index, note }) => `${rule} ${index}: ${note}`);
}

const train = (from: number): Round => ({ stepId: 'train', modelIn: model(from), modelOut: model(from + 1) });
const score = (modelIn: string): Round => ({
  ...{ purpose: 'evaluation', stepId: 'evaluate', modelIn, modelOut: model(9) },
});

describe('the models of a run', () => {
  it('are scored as the plan chooses them', () => {
    expect(noted([train(1), train(2), score(evaluated(model(3)))], {})).toEqual([]);
  });

  it('fail S4 where the evaluation scores another one', () => {
    const wrong = noted([train(1), train(2), score(evaluated(model(2)))], {});
    expect(wrong).toEqual(['S4 20: the evaluation scores other models than the plan chooses']);
  });

  it('are not scored where an arm went wrong before', () => {
    const wrong = noted([{ ...train(1), stepId: 'validate' }, score(model(7))], {});
    expect(wrong).toEqual(['S2 0: round 0 is validate of arm 0, where the plan has train']);
  });

  it('need no validation between those that the plan asks for', () => {
    const every = { evaluation: { every: '2' } };
    expect(noted([train(1), train(2)], every)).toEqual([]);
    expect(noted([train(1), { ...train(2), stepId: 'validate' }], every)).toEqual([
      'S2 10: round 1 is validate of arm 0, where the plan has train',
    ]);
  });
});
