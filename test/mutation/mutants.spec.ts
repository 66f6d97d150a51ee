import { describe, expect, it } from '@jest/globals';
import { mutantsOf } from './mutants.js';

const changed = (source: string): string[] => mutantsOf(source).map((mutant) => mutant.source);

describe('mutants of a source', () => {
  it('leave a check out, alone or with its block', () => {
    expect(changed("if (a) throw new Error('x');")).toEqual(["if (false) throw new Error('x');"]);
    expect(changed('if (a) { b = 1; throw c; }')).toEqual(['if (false) { b = 1; throw c; }']);
    expect(changed('if (a) refuse(c);')).toEqual(['if (false) refuse(c);']);
    expect(mutantsOf('verifySelf(a); this.expect(b);').map(({ change }) => change)).toEqual([
      'check left out: verifySelf',
      'check left out: this.expect',
    ]);
  });

  it('leave out one reason of a check at a time', () => {
    expect(changed('if (a || b() || (c && d)) throw e;')).toEqual(
      expect.arrayContaining([
        'if (false) throw e;',
        'if (false || b() || (c && d)) throw e;',
        'if (a || false || (c && d)) throw e;',
        'if (a || b() || false) throw e;',
      ]),
    );
  });

  it('negate other conditions, exchange operators, leave calls out', () => {
    expect(changed('if (a) b = 1;')).toEqual(['if (!(a)) b = 1;']);
    expect(changed('const x = a < b;')).toEqual(['const x = a <= b;']);
    expect(changed('const x = a && b;')).toEqual(['const x = a || b;']);
    expect(changed('wipe(key);')).toEqual(['{}']);
  });

  it('say where they are and leave texts alone', () => {
    expect(mutantsOf('\n\nf();')).toMatchObject([{ line: 3, change: 'call left out: f' }]);
    expect(changed("const x = 'a' + b;")).toEqual([]);
    expect(changed("const x = a === 'b';")).toEqual(["const x = a !== 'b';"]);
  });
});
