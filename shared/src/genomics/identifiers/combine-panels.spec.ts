import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { hex } from '../../crypto/index.js';
import { panelDigest } from '../panel.js';
import { combinePanels } from './combine-panels.js';
import { panelFileText, parsePanelFile } from './panel-file.js';

const list = (name: string, ...genes: string[]) => ({ name, genes, identifiers: null });
const A = list('a', 'ESR1', 'FOXA1', 'GATA3');
const B = list('b', 'GATA3', 'ESR1', 'XBP1');
const C = list('c', 'XBP1', 'ESR1');
const identifiers = {
  kind: 'symbol',
  source: 'HGNC',
  release: '2026-10-06',
  sha256: 'ab'.repeat(32),
} as const;

describe('a common panel', () => {
  it.each([
    [{ rule: 'intersection' }, ['ESR1']],
    [{ rule: 'union' }, ['ESR1', 'FOXA1', 'GATA3', 'XBP1']],
    [{ rule: 'min-sites', sites: 2 }, ['ESR1', 'GATA3', 'XBP1']],
    [{ rule: 'min-sites', sites: 3 }, ['ESR1']],
  ] as const)('by %j, whatever the order of sites and genes', (rule, genes) => {
    expect(combinePanels([A, B, C], rule).genes).toEqual(genes);
    expect(combinePanels([C, A, B], rule).genes).toEqual(genes);
  });

  it('says what each site lacks and what is not used', () => {
    expect(combinePanels([A, B, C], { rule: 'min-sites', sites: 2 }).sites).toEqual([
      { name: 'a', genes: 3, lacks: 1, unused: 1 },
      { name: 'b', genes: 3, lacks: 0, unused: 0 },
      { name: 'c', genes: 2, lacks: 1, unused: 0 },
    ]);
  });

  it('is refused without a gene, for more sites than there are, and across gene tables', () => {
    expect(() => combinePanels([A, list('d', 'Y')], { rule: 'intersection' })).toThrow(
      'no gene is at 2 of 2 sites',
    );
    expect(() => combinePanels([A, B], { rule: 'min-sites', sites: 3 })).toThrow(
      'at 3 sites cannot be made of 2',
    );
    expect(() => combinePanels([], { rule: 'union' })).toThrow('of 0 lists');
    expect(() => combinePanels([A, { ...B, identifiers }], { rule: 'union' })).toThrow(
      'a, b: the identifiers',
    );
  });

  it('is written and read back with its identifiers', () => {
    for (const panel of [
      { genes: A.genes, identifiers: null },
      { genes: B.genes, identifiers },
    ]) {
      expect(parsePanelFile(panelFileText(panel), 'p.txt')).toEqual(panel);
    }
    expect(() => parsePanelFile('ESR1\n', 'p.txt')).toThrow('p.txt: line 1');
    expect(() => parsePanelFile('# regulon.panel/1: names as written\nA\nA\n', 'p.txt')).toThrow(
      'genes 1 and 2',
    );
  });

  it('is hashed with the table of its identifiers: another release is another panel', () => {
    const line = `symbol of HGNC 2026-10-06 sha256:${'ab'.repeat(32)}`;
    const expected = createHash('sha256').update(`ESR1\nFOXA1\n\n${line}`).digest('hex');
    expect(hex(panelDigest(['ESR1', 'FOXA1'], identifiers))).toBe(expected);
    expect(hex(panelDigest(['ESR1', 'FOXA1'], { ...identifiers, release: '2026-11-01' }))).not.toBe(expected);
    expect(hex(panelDigest(['ESR1', 'FOXA1']))).not.toBe(expected);
  });
});
