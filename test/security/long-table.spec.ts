import { describe, expect, it } from '@jest/globals';
import { longTable } from './support/long-table.js';

const passed = (title: string): { title: string; status: string } => ({ title, status: 'passed' });
const result = {
  success: true,
  testResults: [
    {
      name: '/x/cohorts.spec.ts',
      assertionResults: [
        passed('B10 both kinds'),
        passed('B2 control: the vector is open'),
        passed('B2 a stranger'),
        { title: 'B2 a site twice', status: 'failed' },
      ],
    },
    {
      name: '/x/disk.spec.ts',
      assertionResults: [passed('full'), { title: 'EIO', status: 'pending' }],
    },
  ],
};

describe('the table at the end of a long run', () => {
  it('counts what passed by attack and by spec, sums what tests counted, and names the rest', () => {
    const lines = longTable(result, [
      { what: 'random cohorts', kind: 'exact', number: 3 },
      { what: 'random cohorts', kind: 'exact', number: 4 },
      { what: 'random cohorts', kind: 'E_U3', number: 1 },
    ]);
    expect(lines.map((text) => text.replace(/ +/g, ' '))).toEqual([
      'passed tests controls',
      'B2 1 1',
      'B10 1 0',
      'disk 1 0',
      'attacks: 2 2 1',
      'other specs: 1 1 0',
      'random cohorts: 8 (E_U3, exact 7)',
      'failed: B2: B2 a site twice',
      'pending: disk: EIO',
    ]);
  });
});
