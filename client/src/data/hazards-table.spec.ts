import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/** Rows of the table of hazards in docs/data.md: hazard, behaviour, `spec`: words of the test. */
function hazards(): { hazard: string; spec: string; words: string }[] {
  const text = readFileSync(join(process.cwd(), 'docs/data.md'), 'utf8');
  const [, section = ''] = text.split('## Hazards');
  return section.split('\n').flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    const test = /^`(.+\.spec\.ts)`: (.+)$/.exec(cells[3] ?? '');
    return test ? [{ hazard: cells[1] ?? '', spec: test[1] ?? '', words: test[2] ?? '' }] : [];
  });
}

const rows = hazards();

describe('the table of hazards in docs/data.md', () => {
  it('names a test for every row', () => {
    expect(rows.length).toBeGreaterThan(45);
  });

  it.each(rows)('$hazard: $spec', ({ spec, words }) => {
    const path = join(process.cwd(), spec);
    expect([spec, existsSync(path)]).toEqual([spec, true]);
    expect(readFileSync(path, 'utf8')).toContain(words);
  });
});
