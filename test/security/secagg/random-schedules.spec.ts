import { describe, expect, it } from '@jest/globals';
import { tally } from '../../support/tally.js';
import { effort, TIMEOUT_MS } from '../support/effort.js';
import { RandomAdversary } from '../support/random-adversary.js';
import { type Defence, secaggWithout } from '../support/secagg-without.js';

const games = effort(40, 1000);
type Options = ConstructorParameters<typeof RandomAdversary>[1];

/** Play until every one of these rules was broken. @returns those that never were */
function unbroken(rules: readonly string[], options: Options): string[] {
  const left = new Set(rules);
  for (let seed = 0; seed < 400 && left.size > 0; seed++) {
    const { violations } = new RandomAdversary(seed, options).play();
    violations.forEach((text) => left.delete(text.replace(/\d+/, '…')));
  }
  return [...left];
}

describe('random schedules of a lying coordinator with two of seven sites', () => {
  it(
    'never get both kinds of share, two R1, two uploads, two answers, or a sum of too few',
    () => {
      let opened = 0;
      for (let seed = 0; seed < games; seed++) {
        const released = new RandomAdversary(seed).play();
        expect({ seed, violations: released.violations }).toEqual({ seed, violations: [] });
        if (released.opened.b.length > 0) opened += 1;
        tally('random schedules', 'seven sites, two of them colluding');
      }
      // often enough the honest sites do answer
      expect(opened).toBeGreaterThan(games / 10);
    },
    TIMEOUT_MS,
  );

  it('control: sites that come back with an older state break every "once"', () => {
    const kinds = ['R1', 'upload', 'set of survivors', 'answer'];
    const rules = kinds.map((kind) => `site …: more than one ${kind}`);
    expect(unbroken(rules, { forgetful: true })).toEqual([]);
  });

  it.each<[Defence, string]>([
    ['oneKind', 'site …: both secrets are open'],
    ['colludersInT', 'site …: both secrets are open'],
    ['consistency', 'a sum of only … honest sites is open'],
    ['minimumCohort', 'a sum of only … honest sites is open'],
  ])('control: without %s %s', async (defence, rule) => {
    const secagg = await secaggWithout(defence);
    expect(unbroken([rule], { secagg })).toEqual([]);
  });
});
