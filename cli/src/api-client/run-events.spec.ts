import { describe, expect, it } from '@jest/globals';
import { parseRunEvent } from './run-events.js';

const text = (value: unknown): string => JSON.stringify(value);

describe('events of a run', () => {
  it('are read with whatever a newer coordinator adds to them', () => {
    const event = { id: 7, at: 1, type: 'beat', site: 2, round: 0, step: 'training', extra: true };
    expect(parseRunEvent(text(event))).toEqual(event);
  });

  it('of a type that only a newer coordinator knows are left out', () => {
    expect(parseRunEvent(text({ id: 7, at: 1, type: 'weather', sun: true }))).toBeNull();
  });

  it('need no time when the run ended before the coordinator started', () => {
    const end = parseRunEvent(text({ id: 1, type: 'end', status: 'COMPLETED', since: 5 }));
    expect(end).toMatchObject({ type: 'end', status: 'COMPLETED' });
  });

  it.each([
    ['no JSON', '{', /not JSON/],
    ['no event', '[]', /event of the run/],
    [
      'a time that no date can hold',
      text({ id: 7, at: 1, type: 'run', status: 'RUNNING', since: 1e300, reason: null }),
      /run: since: /,
    ],
    ['a wrong member', text({ id: 7, at: 1, type: 'beat', site: 'x', round: 0, step: 's' }), /beat: site: /],
  ])('refuse %s', (_, data, message) => {
    expect(() => parseRunEvent(data)).toThrow(
      expect.objectContaining({ code: 'E_MESSAGE', message: expect.stringMatching(message) as unknown }),
    );
  });
});
