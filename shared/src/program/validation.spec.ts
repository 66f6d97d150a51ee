import { describe, expect, it } from '@jest/globals';
import { sha256, utf8 } from '../crypto/index.js';
import { validationDigest } from '../plan/index.js';
import { encodeBlock } from './evaluation.js';
import { RunProgram } from './program.js';
import { isValidation, Purpose, type ScheduledRound } from './schedule.js';
import { toyContract } from './toy-contract.support.js';
import { encodeValidation } from './validation-sums.js';

const training = { rounds: 6, optimizer: { name: 'adam' } };
const early = { split: 'holdout', every: 1, earlyStopping: { patience: 2 } };
const programOf = (evaluation: object, isPublic = true): RunProgram =>
  new RunProgram(toyContract({ prepare: [], training, evaluation }, isPublic));
const modelOf = ({ arm, iteration }: ScheduledRound): Uint8Array => sha256(utf8(`${arm} ${iteration}`));

/** The next round that is not one of statistics, which five sites close with zeros of no fault. */
function trainedNext(program: RunProgram): ScheduledRound {
  for (let round = program.next(); round; round = program.next()) {
    if (round.purpose !== Purpose.statistics) return round;
    const sums = new Float64Array(program.vectorLength(round)).fill(40);
    program.complete(round, { survivors: round.contributors, extras: {}, sums });
  }
  throw new Error('the run is done');
}

/** Close a validation round: `right` of ten units of each of two classes, and the loss of all. */
function score(program: RunProgram, loss: number, right = 8, count = 20): Uint8Array {
  const round = trainedNext(program);
  expect(isValidation(round)).toBe(true);
  const { survivors } = { survivors: round.contributors };
  const wrong = count / 2 - right;
  const sums = encodeBlock(program.contract, {
    count,
    lossSum: loss * count,
    confusion: [right, wrong, wrong, right],
  });
  const { modelOut, advance } = program.closing(round, { survivors, extras: {}, sums });
  advance();
  return modelOut;
}

function train(program: RunProgram): ScheduledRound {
  const round = trainedNext(program);
  expect(round.purpose).toBe(Purpose.train);
  const extras = { count: 20, weight: 1 };
  program.complete(round, { survivors: round.contributors, extras, modelHash: modelOf(round) });
  return round;
}

describe('validation rounds', () => {
  it('follow every k-th training round of an arm and its last', () => {
    const program = programOf({ split: 'holdout', every: 4 });
    const steps = program.schedule.filter(({ purpose }) => purpose !== Purpose.statistics);
    expect(steps.map(({ stepId, iteration }) => `${stepId} ${iteration}`)).toEqual([
      ...['train 0', 'train 1', 'train 2', 'train 3', 'validate 3', 'train 4', 'train 5', 'validate 5'],
      'evaluate 0',
    ]);
  });

  it('are all that scores a nested plan: fold 0 is kept for the plan that they choose', () => {
    const program = programOf({ split: 'nested', every: 6 });
    expect(program.arms).toMatchObject([{ heldOutFold: 0, validationFold: 1, evaluated: false }]);
    const steps = program.schedule.filter(({ purpose }) => purpose === Purpose.evaluation);
    expect(steps.map(({ stepId }) => stepId)).toEqual(['validate']);
    const [chosen] = programOf({ split: 'holdout', every: 6 }).arms;
    expect(chosen).toMatchObject({ heldOutFold: 0, validationFold: 1, evaluated: true });
    expect(() => programOf({ split: 'nested' })).toThrow('scored by validation rounds only');
    expect(() => programOf({ split: 'nested', every: 1, metrics: ['roc'] })).toThrow(
      'never scores the units',
    );
  });

  it('score units that neither train nor test their arm', () => {
    const folds = programOf({ split: 'det5', every: 1 }).arms.map(({ heldOutFold, validationFold }) => [
      ...[heldOutFold, validationFold],
    ]);
    expect(folds).toEqual([[null, 0], ...[0, 1, 2, 3, 4].map((fold) => [fold, (fold + 1) % 5])]);
    expect(programOf({ split: 'det5' }).arms.every(({ validationFold }) => validationFold === null)).toBe(
      true,
    );
  });

  it('in a run that is not public come after a count of every fold', () => {
    const first = (isPublic: boolean) => programOf({ split: 'holdout', every: 1 }, isPublic).next()?.stepId;
    expect([first(false), first(true)]).toEqual(['folds', 'counts']);
  });

  it('start from the model that was trained last, and give a digest of it and of their figures', () => {
    const program = programOf(early);
    const model = modelOf(train(program));
    const round = trainedNext(program);
    expect(program.modelHash(round)).toEqual(model);
    const modelOut = score(program, 0.5);
    expect(modelOut).toEqual(validationDigest(model, { loss: '0.5', accuracy: '0.7998046875' }));
    expect(program.validation.digest(round.round)).toEqual(modelOut);
    expect(program.validation.points).toEqual([
      expect.objectContaining({ arm: 0, iteration: 0, loss: 0.5, accuracy: 0.8, units: 20, survivors: 5 }),
    ]);
  });

  it('refuse a sum over too few units', () => {
    const few = (count: number, isPublic: boolean) => () => {
      const program = programOf(early, isPublic);
      train(program);
      score(program, 0.5, 0, count);
    };
    const refusal = expect.objectContaining({ code: 'E_UNITS' });
    expect(few(0, true)).toThrow(refusal);
    expect(few(4, true)).not.toThrow();
  });
});

describe('the validation gate', () => {
  const gated = { split: 'holdout', every: 1, maxWorsening: 0.25 };

  it('takes no model whose loss lies too far above the lowest before it, and the program stays where it was', () => {
    const program = programOf(gated);
    for (const loss of [0.5, 0.7]) {
      train(program);
      score(program, loss);
    }
    train(program);
    const before = program.next();
    expect(() => score(program, 0.8)).toThrow(expect.objectContaining({ code: 'E_WORSENED' }));
    expect(program.next()).toBe(before);
    expect(program.validation.points).toHaveLength(2);
    expect(() => score(program, 0.75)).not.toThrow();
  });

  it('lets the loss rise without the rule, and compares each arm with itself', () => {
    const program = programOf({ split: 'holdout', every: 1 });
    for (const loss of [0.5, 9]) {
      train(program);
      expect(() => score(program, loss)).not.toThrow();
    }
    expect(() => programOf({ split: 'holdout', maxWorsening: 1 })).toThrow('needs evaluation.every');
    const arms = programOf({ ...gated, split: 'det5', every: 6 });
    const losses = [0.5, 5, 6, 7, 8, 9];
    for (const loss of losses) {
      for (let i = 0; i < 6; i++) train(arms);
      expect(() => score(arms, loss)).not.toThrow();
    }
  });
});

describe('early stopping', () => {
  it('takes the rounds after it out, and gives the arm its best model', () => {
    const program = programOf(early);
    const all = program.schedule.length;
    const models = [0.9, 0.4, 0.6, 0.5].map((loss) => {
      const round = train(program);
      score(program, loss);
      return modelOf(round);
    });
    const next = program.next();
    expect(next?.stepId).toBe('evaluate');
    expect(program.model(0)).toEqual(models[1]);
    expect(program.schedule).toHaveLength(all - 4);
    expect(program.schedule.map(({ round }) => round)).toEqual(program.schedule.map((_, i) => i));
    expect(program.schedule.at(-1)).toEqual(next);
  });

  it('keeps the current and the best model while it goes on', () => {
    const program = programOf(early);
    const rounds = [0.4, 0.6].map((loss) => {
      const round = train(program);
      score(program, loss);
      return round;
    });
    expect(program.keptModels(0).map(({ round }) => round)).toEqual([rounds[1]?.round, rounds[0]?.round]);
    expect(program.model(0)).toEqual(modelOf(rounds[1] ?? train(program)));
  });

  it('gives the best model after the last round too', () => {
    const program = programOf({ ...early, earlyStopping: { patience: 9 } });
    const best = [0.9, 0.8, 0.1, 0.8, 0.8, 0.8].map((loss) => {
      const round = train(program);
      score(program, loss);
      return round;
    })[2];
    expect(program.next()?.stepId).toBe('evaluate');
    expect(program.modelRound(0)).toBe(best?.round);
  });

  it('without a rule trains to the end, and the last model stays', () => {
    const program = programOf({ split: 'holdout', every: 3 });
    const trained = [0.1, 0.9].flatMap((loss) => {
      const three = [train(program), train(program), train(program)];
      score(program, loss);
      return three;
    });
    const last = trained.at(-1);
    if (!last) throw new Error('nothing was trained');
    expect(program.model(0)).toEqual(modelOf(last));
    expect(program.keptModels(0)).toHaveLength(1);
  });
});

describe('several heads', () => {
  const dense = { type: 'dense', units: 'outputs' };
  const cox = { block: 'relapse', loss: { type: 'cox' }, weight: 0.5 };
  const ofHeads = (evaluation: object, isPublic = true, relapse: object = cox): RunProgram =>
    new RunProgram(
      toyContract(
        {
          ...{ prepare: [], training, evaluation, task: 'heads', label: undefined },
          targets: [
            {
              ...{ head: 'subtype', kind: 'classes' },
              classes: ['x', 'y'].map((name) => ({ name, rule: `type == '${name}'` })),
            },
            { head: 'relapse', kind: 'survival', time: 'months', event: 'relapse', times: [1, 2] },
          ],
          model: {
            blocks: ['subtype', 'relapse'].map((name) => ({ name, from: 'features', layers: [dense] })),
            heads: [{ block: 'subtype', outputs: 2, loss: { type: 'cross-entropy' } }, relapse],
          },
        },
        isPublic,
      ),
    );
  /** Close a validation round of 20 units, of whom 16 have a class, with a mean loss of `subtype`, and some relapse, of 3. */
  const scoreHeads = (program: RunProgram, subtype: number, events = 8): Uint8Array => {
    const round = trainedNext(program);
    expect(isValidation(round)).toBe(true);
    const heads = [
      { lossSum: 16 * subtype, targetCount: 16, scores: [8, 0, 0, 8] },
      { lossSum: 3 * events, targetCount: events, scores: [16, events, 99, 60] },
    ];
    const sums = encodeValidation(program.contract, { count: 20, heads });
    expect([...sums]).toEqual([20, 16 * subtype, 16, 3 * events, events]);
    const outcome = { survivors: round.contributors, extras: {}, sums };
    const { modelOut, advance } = program.closing(round, outcome);
    advance();
    return modelOut;
  };

  it('are scored by the weighted sum of their mean losses, of sums that hold no class, value or pair', () => {
    const program = ofHeads(early);
    const model = modelOf(train(program));
    expect(scoreHeads(program, 0.25)).toEqual(validationDigest(model, { loss: '1.75' }));
    const heads = [
      { head: 'subtype', loss: 0.25, accuracy: null },
      { head: 'relapse', loss: 3, accuracy: null },
    ];
    expect(program.validation.points).toEqual([
      expect.objectContaining({ loss: 1.75, accuracy: null, units: 20, heads }),
    ]);
  });

  it('stop together, and leave the model of the best sum', () => {
    const program = ofHeads(early);
    const models = [0.9, 0.2, 0.6, 0.5].map((loss) => {
      const round = train(program);
      scoreHeads(program, loss);
      return modelOf(round);
    });
    expect(program.next()?.stepId).toBe('evaluate');
    expect(program.model(0)).toEqual(models[1]);
  });

  it('are not scored where one of them has too few targets', () => {
    const few = (events: number, isPublic: boolean) => () => {
      const program = ofHeads(early, isPublic);
      train(program);
      scoreHeads(program, 0.5, events);
    };
    const refusal = expect.objectContaining({ code: 'E_UNITS' });
    expect(few(4, false)).toThrow(refusal);
    expect(few(5, false)).not.toThrow();
    expect(few(0, true)).toThrow(refusal);
    expect(few(1, true)).not.toThrow();
  });

  it('count units where one of them has several numbers: four patients of three intervals are too few', () => {
    const hazards = { outputs: 3, loss: { type: 'discrete-time', edges: [1, 2, 3] } };
    const few = (terms: number) => () => {
      const program = ofHeads(early, false, { ...cox, ...hazards });
      train(program);
      scoreHeads(program, 0.5, terms);
    };
    expect(few(14)).toThrow(expect.objectContaining({ code: 'E_UNITS' }));
    expect(few(15)).not.toThrow();
  });

  it('have no accuracy to stop by', () => {
    const rule = { ...early, earlyStopping: { metric: 'accuracy', patience: 2 } };
    expect(() => ofHeads(rule)).toThrow('evaluation.earlyStopping.metric: the task heads has no accuracy');
  });
});
