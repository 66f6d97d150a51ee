import { describe, expect, it } from '@jest/globals';
import type { ReplyOf } from '@regulon/shared/wire';
import { consequenceOf } from './errors/failures.js';
import { helloOnTime } from './hello.js';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-21T12:00:00Z');

/** @param coordinator its clock, ms @param travel how long question and answer take, ms */
function hello(coordinator: number, travel = 0): Promise<ReplyOf<'hello'>> {
  let at = NOW;
  const connect = async (): Promise<ReplyOf<'hello'>> => {
    at += travel;
    return { type: 'hello', nowMs: coordinator, checkpointNote: 'note' } as ReplyOf<'hello'>;
  };
  return helloOnTime({ connect }, { skewSeconds: 300, now: () => at });
}

describe('the clocks of site and coordinator', () => {
  it.each([
    ['behind', NOW + HOUR],
    ['ahead of', NOW - HOUR],
  ])('are named when this one is an hour %s the other', async (which, coordinator) => {
    const named = {
      code: 'E_CLOCK',
      message: expect.stringContaining(`3600 s ${which} the coordinator`) as unknown,
    };
    await expect(hello(coordinator)).rejects.toMatchObject(named);
  });

  it('may differ by what the federation allows, and by the time that the answer takes', async () => {
    for (const offset of [-300_000, 0, 300_000])
      expect(await hello(NOW + offset)).toMatchObject({ nowMs: NOW + offset });
    expect(await hello(NOW + HOUR, HOUR)).toMatchObject({ checkpointNote: 'note' });
    await expect(hello(NOW - 300_600)).rejects.toMatchObject({ code: 'E_CLOCK' });
  });

  it('are compared again: a person may set them', async () => {
    const error = await hello(NOW + HOUR).catch((e: unknown) => e);
    expect(consequenceOf(error)).toBe('retry');
  });
});
