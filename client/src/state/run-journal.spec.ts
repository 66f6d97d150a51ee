import { describe, expect, it } from '@jest/globals';
import { sha256, utf8 } from '@regulon/shared/crypto';
import { RunJournal } from './run-journal.js';
import { opened, run } from './state.support.js';

describe('the journal of runs', () => {
  it('keeps the rounding secret of a run until the run ends', () => {
    const runs = new RunJournal(opened());
    const { roundingSecret } = runs.begin(run, utf8('contract'));
    expect(runs.begin(run, utf8('other')).roundingSecret).toEqual(roundingSecret);
    expect(runs.find(run)?.contract).toEqual(utf8('contract'));
    runs.end(run, 'finished');
    expect(runs.find(run)).toMatchObject({ state: 'finished', roundingSecret: new Uint8Array(32) });
  });

  it('gives back the outcomes of closed rounds bit by bit', () => {
    const runs = new RunJournal(opened());
    runs.begin(run, utf8('contract'));
    const outcome = {
      ...{ round: 0, attempt: 1, survivors: [1, 2], extras: { weight: 0.1 + 0.2 } },
      ...{ sums: Float64Array.of(1 / 3, -0, 5e-324), transcript: sha256(), aggregateRoot: sha256() },
    };
    runs.saveOutcome(run, outcome);
    expect(runs.outcomes(run)).toEqual([outcome]);
  });
});
