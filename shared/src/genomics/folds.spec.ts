import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareCodePoints } from './code-point.js';
import { foldOf, foldsOf, sharedFoldOf } from './folds.js';

describe('folds inside a site', () => {
  it('count positions by code point inside each class and start at the site index', () => {
    const ids = ['b', 'a', 'Z', 'c', 'x', 'é', '10', '9'];
    const labels = [0, 0, 0, 0, 0, 0, 1, 1];
    // class 0 sorted: Z a b c x é; class 1: '10' before '9'
    expect([...foldOf(ids, labels, 0)]).toEqual([2, 1, 0, 3, 4, 0, 0, 1]);
    expect([...foldOf(ids, labels, 3)]).toEqual([0, 4, 3, 1, 2, 3, 3, 4]);
  });

  it('do not depend on the order of the file', () => {
    const arbitrary = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(arbitrary, fc.nat(9), (ids, site) => {
        const forward = foldOf(ids, undefined, site);
        const backward = foldOf([...ids].reverse(), undefined, site);
        expect([...backward].reverse()).toEqual([...forward]);
      }),
    );
  });

  it('keep the units of a patient together, and count patients, not units', () => {
    const patients = ['p2', 'p1', 'p1', 'p3', 'p3', 'p3', 'p4', 'p5', 'p6'];
    const ids = patients.map((_, i) => `u${i}`);
    const labels = [0, 1, 0, 0, 0, 0, 1, 1, 1];
    // class 0: p1 (its smallest class), p2, p3; class 1: p4, p5, p6
    expect([...foldsOf('library', ids, labels, 1, patients)]).toEqual([2, 1, 1, 3, 3, 3, 1, 2, 3]);
    expect([...foldsOf('library', ids, labels, 1)]).not.toEqual([
      ...foldsOf('library', ids, labels, 1, patients),
    ]);
  });

  it('refuse two units with one id', () => {
    for (const unit of ['patient', 'gene'])
      expect(() => foldsOf(unit, ['a', 'a'], undefined, 0)).toThrow('one id');
  });

  it('sort beyond the basic plane by code point, unlike UTF-16', () => {
    expect(compareCodePoints('\u{1F600}', '\uFFFD')).toBeGreaterThan(0);
    expect(compareCodePoints('a', 'ab')).toBeLessThan(0);
  });
});

describe('folds of shared units', () => {
  it('are the same at every site, so that no gene trains here and is tested there', () => {
    const at = (site: number, ids: string[]) => foldsOf('gene', ids, Int32Array.of(0, 1, 0), site);
    expect([...at(3, ['c', 'a', 'b'])]).toEqual([...sharedFoldOf(['c', 'a', 'b'])]);
    expect(at(0, ['a', 'b', 'c'])[0]).toBe(at(3, ['c', 'a', 'b'])[1]);
    expect([...foldsOf('patient', ['a', 'b'], undefined, 3)]).toEqual([...foldOf(['a', 'b'], undefined, 3)]);
  });

  it('are the first u32 of SHA-256 mod 5', () => {
    // sha256('abc') starts ba7816bf, sha256('') e3b0c442
    expect([...sharedFoldOf(['abc', ''])]).toEqual([0xba7816bf % 5, 0xe3b0c442 % 5]);
  });
});
