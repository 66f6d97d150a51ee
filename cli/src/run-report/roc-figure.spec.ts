import { describe, expect, it } from '@jest/globals';
import { figureOf } from './chart-frame.js';
import { verifyMarkup } from './markup.support.js';
import { curvesOf, rocFigure } from './roc-figure.js';

const point = (falsePositives: number, found: number, bound: number | null) => ({
  falsePositives,
  found,
  bound,
});
const lineOf = (inner: string, n: number): number[][] =>
  [...inner.matchAll(/points="([^"]*)"/g)][n]![1]!.split(' ').map((pair) => pair.split(',').map(Number));

describe('the ROC of membership tests', () => {
  const curve = { name: 'loss', points: [point(0.001, 0, 0.002), point(0.01, 0.1, 0.2), point(0.1, 1, 0.9)] };

  it('has logarithmic axes: each factor of ten is as long as the next', () => {
    const { inner } = rocFigure('t', [curve]);
    const [guess, found] = [lineOf(inner, 0), lineOf(inner, 1)];
    expect(found[1]![0]! - found[0]![0]!).toBeCloseTo(found[2]![0]! - found[1]![0]!, 0);
    // nothing found lies on the axis, everything at the top
    expect(found[0]![1]).toBe(guess[0]![1]);
    expect(found[2]![1]).toBe(guess[1]![1]);
    expect(lineOf(inner, 2)[1]![1]).toBeLessThan(found[1]![1]!);
  });

  it('says in words what is found at one in a hundred, and gives all numbers as a table', () => {
    const picture = rocFigure('membership', [curve]);
    expect(picture.words).toMatch(/loss finds 0\.1 of the members at 0\.01 of the others \(bound 0\.2\)/);
    expect(picture.numbers.rows).toHaveLength(3);
    const none = rocFigure('t', [{ name: 'loss', points: [point(0.01, 0.5, null)] }]);
    expect(none.words).toContain('bounded by nothing');
    expect([...none.inner.matchAll(/<polyline/g)]).toHaveLength(2);
  });

  it('runs nothing, whatever a report is called', () => {
    const attacks = [
      {
        attack: 'loss-threshold',
        area: '0.5',
        curve: [{ falsePositives: '0.01', found: '0.03125', error: '0.0625', bound: null }],
      },
    ] as const;
    const report = { site: '<script>alert(1)</script>', attacks } as unknown as Parameters<
      typeof curvesOf
    >[0];
    const html = figureOf('roc', rocFigure('a <b>', curvesOf(report)));
    expect(html).not.toMatch(/<script|\son\w+=/i);
    verifyMarkup(html);
  });
});
