import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../state/temporary-folder.support.js';
import { importFile } from '../index.js';
import { fileOf } from '../source-files.support.js';
import { principalComponents } from './principal-components.js';

describe('the quality report', () => {
  const genes = Array.from({ length: 30 }, (_, g) => `ENSG${String(g + 1).padStart(11, '0')}`);
  const units = Array.from({ length: 8 }, (_, u) => `S${u}`);
  // two batches: in the second one half of the genes are ten times higher
  const value = (g: number, u: number): number =>
    g === 29 ? 7 : (100 + ((g * 17 + u * 29) % 23)) * (u >= 4 && g % 2 === 0 ? 10 : 1);
  const rows = genes.map((gene, g) => [
    gene,
    ...units.map((_, u) => (g === 3 && u === 5 ? 'NA' : value(g, u))),
  ]);
  const text = [['gene', ...units], ...rows].map((row) => row.join('\t')).join('\n');
  const labels = `unit\tbatch\n${units.map((unit, u) => `${unit}\t<b>${u < 4 ? 1 : 2}</b>`).join('\n')}\n`;

  it('shows sizes, detection, gaps and components by batch, in words too, and loads nothing from elsewhere', async () => {
    const { folder } = await importFile(fileOf(text), {
      ...{ name: 'r', folder: temporaryFolder('report'), labels: fileOf(labels), keepColumns: ['batch'] },
    });
    const page = readFileSync(join(folder, 'report.html'), 'utf8');
    for (const title of [
      'Sum of each unit',
      'Genes detected',
      'Missing values of each unit',
      'Principal components by batch',
    ])
      expect(page).toContain(title);
    const pictures = page.match(/<svg [^>]*>/g) ?? [];
    expect(pictures).toHaveLength(5);
    for (const picture of pictures) expect(picture).toMatch(/role="img" aria-label="[^"]{20,}"/);
    expect(page).toMatch(/genes that do not vary<\/th><td>1</);
    const share = /([\d.]+) % of the first component lies between the values of batch/.exec(page)?.[1];
    expect(Number(share)).toBeGreaterThan(95);
    expect(page).not.toMatch(/<script|https?:|src=|href=|<b>/);
    expect(page).toContain("default-src 'none'");
  });

  it('has the components of a plane that is known', () => {
    // four points on a cross: 3 along (1, 1)/√2, 1 along (1, −1)/√2
    const s = Math.SQRT1_2;
    const points = [3 * s, 3 * s, -3 * s, -3 * s, s, -s, -s, s];
    const { first, second, shares } = principalComponents(Float64Array.from(points), 4, 2);
    [3, -3, 0, 0].forEach((x, i) => expect(first[i]).toBeCloseTo(x, 9));
    [0, 0, 1, -1].forEach((x, i) => expect(Math.abs(second[i] ?? NaN)).toBeCloseTo(Math.abs(x), 9));
    expect(shares[0]).toBeCloseTo(0.9, 9);
    expect(shares[1]).toBeCloseTo(0.1, 9);
  });
});
