import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { sha256, utf8 } from '@regulon/shared/crypto';
import { removeEndedRuns } from './folder.js';
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

  it('leaves files of live runs, and what is evidence, when a daemon starts again', () => {
    const state = opened();
    const runs = new RunJournal(state);
    const ended = run.replace('run_', 'run_ff').slice(0, run.length);
    const write = (of: string, name: string): void => {
      mkdirSync(join(state.paths.runs, of), { recursive: true });
      writeFileSync(join(state.paths.runs, of, name), '');
    };
    const names = ['arm-0-train.features', 'evidence-3-0.json'];
    [run, ended].forEach((of) => names.forEach((name) => write(of, name)));
    runs.begin(run, utf8('contract'));
    runs.begin(ended, utf8('contract'));
    runs.end(ended, 'failed');
    writeFileSync(join(state.paths.runs, 'dataset.cache'), 'x');
    removeEndedRuns(state.paths, runs.live());
    expect(readdirSync(state.paths.runs)).toContain('dataset.cache');
    expect(readdirSync(join(state.paths.runs, run)).sort()).toEqual(names);
    expect(readdirSync(join(state.paths.runs, ended))).toEqual(['evidence-3-0.json']);
  });

  it('gives back the outcomes of closed rounds bit by bit', () => {
    const runs = new RunJournal(opened());
    runs.begin(run, utf8('contract'));
    const outcome = {
      ...{ round: 0, attempt: 1, survivors: [1, 2], extras: { weight: 0.1 + 0.2 } },
      ...{ sums: Float64Array.of(1 / 3, -0, 5e-324), transcript: sha256(), aggregateRoot: sha256() },
      tiles: [1 / 3, 5e-324],
    };
    runs.saveOutcome(run, outcome);
    expect(runs.outcomes(run)).toEqual([outcome]);
  });
});
