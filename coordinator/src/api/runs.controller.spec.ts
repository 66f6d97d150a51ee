import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RunEvents } from '../runs/index.js';
import type { ApiContext } from './context.js';
import { RunsController } from './runs.controller.js';

const RUN = `run_${'0'.repeat(32)}`;

describe('events of a run, to a reader that takes nothing', () => {
  let board: RunEvents;
  let response: ServerResponse;

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick'] });
    board = new RunEvents(() => 5);
    const request = new IncomingMessage(new Socket());
    response = new ServerResponse(request);
    const runs = { row: () => ({ status: 'RUNNING', since_ms: 1 }), eventsOf: () => board };
    const context = { runs, views: { isOver: () => false } } as unknown as ApiContext;
    new RunsController(context).events(RUN, request, response);
  });
  afterEach(() => {
    response.emit('close');
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it('beat no more after the end: a write would bring the process down', async () => {
    const errors: unknown[] = [];
    response.on('error', (error) => errors.push(error));
    board.emit({ type: 'end', status: 'COMPLETED' });
    jest.advanceTimersByTime(60_000);
    await new Promise((resolve) => process.nextTick(resolve));
    expect(errors).toEqual([]);
  });

  it('are cut off before they cost memory', () => {
    const step = 'x'.repeat(1000);
    for (let i = 0; i < 10_000; i++) board.emit({ type: 'beat', site: 1, round: 0, step });
    expect(response.destroyed).toBe(true);
    expect(response.writableLength).toBeLessThan(5e6);
  });
});
