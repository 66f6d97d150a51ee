import { describe, expect, it } from '@jest/globals';
import { RunBoards } from './run-boards.js';

const idOf = (n: number): Uint8Array => new Uint8Array(16).fill(n);

describe('boards of runs', () => {
  it('are forgotten after runs that ended long ago, never of a run under way or with a reader', () => {
    const boards = new RunBoards(() => 5);
    boards.of(idOf(1)).emit({ type: 'run', status: 'RUNNING', since: 1, reason: null });
    const heard: string[] = [];
    const stop = boards.of(idOf(2)).follow(0, (event) => void heard.push(event.type));
    for (let n = 3; n < 200; n++) boards.of(idOf(n)).emit({ type: 'end', status: 'COMPLETED' });
    expect(boards.size).toBe(8);
    boards.of(idOf(2)).emit({ type: 'end', status: 'COMPLETED' });
    expect(heard).toEqual(['end']);
    const kept: string[] = [];
    boards.of(idOf(1)).follow(0, (event) => void kept.push(event.type));
    expect(kept).toEqual(['run']);
    stop();
    for (let n = 200; n < 256; n++) boards.of(idOf(n));
    expect(boards.size).toBe(8);
  });
});
