import { describe, expect, it } from '@jest/globals';
import { verifyMarkup } from '../../../cli/src/run-report/markup.support.js';
import { attackPage } from './attack-page.js';
import { curveOf, histogramOf } from './roc.js';

const scores = { members: [4, 5, 6, 7, 8], others: [0, 1, 2, 3, 4] };

describe('the page of the attack suite', () => {
  it('shows the curve and the scores of a test, runs nothing, and is well formed', () => {
    const test = { attack: 'A8', setting: 'a <b>', defence: 'none', measure: 'TPR', value: 1 / 3 };
    const pictures = { curve: curveOf(scores, () => 0.25), histogram: histogramOf(scores) };
    const page = attackPage({
      ...{ schema: 'regulon.attacks/1', version: 'v', form: 'quick', passed: 1, notPassed: [] },
      attacks: [{ ...test, ...pictures, aboveBound: false }],
    });
    expect([...page.matchAll(/<svg/g)]).toHaveLength(2);
    expect(page).toMatch(/0\.333/);
    expect(page).not.toMatch(/<script|\son\w+=/i);
    verifyMarkup(page);
  });

  it('counts every unit once, those far out at the ends', () => {
    const { members, others, low, width } = histogramOf(scores);
    const whole = (shares: readonly number[]): number => shares.reduce((a, b) => a + b, 0);
    expect([whole(members), whole(others)]).toEqual([expect.closeTo(1), expect.closeTo(1)]);
    expect([members.at(-1), others[0]]).toEqual([expect.closeTo(0.4), expect.closeTo(0.2)]);
    expect([low, low + 20 * width]).toEqual([0, expect.closeTo(7)]);
  });
});
