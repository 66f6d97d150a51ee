import { describe, expect, it } from '@jest/globals';
import { boardLines, roundText, sparkline } from './board.js';
import { emptyBoard, nextBoard, type RoundLine } from './state.js';

const line = (round: number, loss: number, accuracy: number | null): RoundLine => ({
  round,
  step: 'train',
  arm: 'all',
  seconds: 0.84,
  survivors: 3,
  loss,
  accuracy,
});
const sites = ['site-1', 'site-2', 'site-3'];

describe('the board', () => {
  it('shows a lane a site, the round, loss and accuracy, and a curve', () => {
    let state = emptyBoard('brca3-cnn-sim', 'run_ab', 4, sites);
    state = nextBoard(state, { type: 'closed', line: line(0, 1.1, 0.4), survivors: sites });
    state = nextBoard(state, { type: 'closed', line: line(1, 0.5, 0.8), survivors: ['site-1', 'site-2'] });
    state = nextBoard(state, { type: 'stage', stage: 'training', sites: ['site-1'] });
    const lines = boardLines({ ...state, elapsedSeconds: 75 }, 120);
    expect(lines[0]).toBe('brca3-cnn-sim  run_ab');
    expect(lines[1]).toMatch(/^round 2 of 4 {2}█{12}░{12} {2}01:15/);
    expect(lines.find((l) => l.startsWith('site-1'))).toMatch(/training$/);
    expect(lines.find((l) => l.startsWith('site-3'))).toMatch(/not in the sum$/);
    expect(lines.find((l) => l.startsWith('loss'))).toBe('loss      0.5000   █▁');
    expect(lines.find((l) => l.startsWith('accuracy'))).toBe('accuracy  .800     ▁█');
  });

  it('has no accuracy line where the task has none, and cuts long lines', () => {
    const state = nextBoard(emptyBoard('x'.repeat(200), 'r', 1, sites), {
      type: 'closed',
      line: line(0, 0.3, null),
      survivors: sites,
    });
    const lines = boardLines(state, 60);
    expect(lines.some((l) => l.startsWith('accuracy'))).toBe(false);
    expect(Math.max(...lines.map((l) => [...l].length))).toBeLessThan(60);
  });

  it('prints a closed round as one plain line', () => {
    expect(roundText(line(7, 0.4123, 0.875), 17, 5)).toBe(
      'round  8 of 17  train (all)  3 of 5 sites  0.84 s  loss 0.4123  accuracy .875',
    );
  });
});

describe('the curve', () => {
  it('thins out more values than columns and is flat for equal values', () => {
    expect(sparkline([1, 1, 1])).toBe('▁▁▁');
    expect(sparkline([])).toBe('');
    expect([
      ...sparkline(
        Array.from({ length: 100 }, (_, i) => i),
        10,
      ),
    ]).toHaveLength(10);
  });
});
