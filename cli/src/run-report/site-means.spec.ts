import { describe, expect, it } from '@jest/globals';
import { emptySpecification, type FeatureSpecification } from '@regulon/shared/genomics';
import { parsePlan } from '@regulon/shared/plan';
import { reportPage } from './page.js';
import { verifyMarkup } from './markup.support.js';
import { siteMeans, whyNoSites } from './site-means.js';
import { componentsOf } from './site-picture.js';
import { toyDocument } from './toy-document.support.js';

const GENES = 6;
const names = ['a', 'b', 'c', 'd', 'e'];
/** Units of each site, and the value of a gene of each of them. */
const units = [12, 20, 15, 10, 31];
const valueOf = (s: number, gene: number): number => Math.sin(3 * s + gene) + (s === 3 ? 10 * gene : 0);

/** What is fitted without a site; gene 2 is dropped where site 4 is left out. */
function without(left: number, of: readonly number[] = units): FeatureSpecification {
  const spec = emptySpecification({ panelDigest: new Uint8Array(32), genes: GENES });
  const keptGenes = spec.keptGenes.filter((gene) => left !== 4 || gene !== 2);
  const others = [...of.keys()].filter((s) => s !== left);
  const n = others.reduce((sum, s) => sum + (of[s] ?? 0), 0);
  const mean = Float64Array.from(
    keptGenes,
    (gene) => others.reduce((sum, s) => sum + (of[s] ?? 0) * valueOf(s, gene), 0) / n,
  );
  const none = { minUnits: 5, minSites: 3, classUnits: new Uint32Array(0), classSites: new Uint32Array(0) };
  const counts = { step: 'counts' as const, units: n, keptGenes, ...none };
  return { ...spec, keptGenes, steps: [counts, { step: 'log2-cpm' }, { step: 'mean', units: n, mean }] };
}
const armsOf = (of: readonly number[] = units) => new Map(names.map((name, s) => [name, without(s, of)]));

describe('the means of single sites', () => {
  it('follow from the means without each of them', () => {
    const means = siteMeans(armsOf()) ?? [];
    expect(means.map(({ site, units: n }) => [site, n])).toEqual(names.map((name, s) => [name, units[s]]));
    means.forEach(({ mean }, s) =>
      [0, 1, 3, 4, 5].forEach((gene, j) => expect(mean[j]).toBeCloseTo(valueOf(s, gene), 12)),
    );
  });

  it('are none of fewer than ten units, of two sites, or after a step that was fitted without the site', () => {
    expect(siteMeans(armsOf(units.with(3, 9)))).toBeNull();
    expect(siteMeans(new Map([...armsOf()].slice(0, 2)))).toBeNull();
    const filled = [...armsOf()].map(([name, spec]): [string, FeatureSpecification] => [
      name,
      {
        ...spec,
        steps: spec.steps.map((step) =>
          step.step === 'log2-cpm' ? { ...step, libraryGenes: spec.keptGenes } : step,
        ),
      },
    ]);
    expect(siteMeans(new Map(filled))).toBeNull();
  });
});

describe('sites beside each other', () => {
  const open = {
    ...toyDocument,
    isPublic: true,
    plan: { ...(toyDocument.plan as object), evaluation: { split: 'leave-site-out' } },
  };

  it('are drawn with words and numbers where each site allowed it', () => {
    const page = reportPage(open, { sites: siteMeans(armsOf()) ?? [] });
    verifyMarkup(page);
    expect(page).toMatch(/Mean profiles of 5 sites over 5 genes .* farthest from the middle is d\./);
    names.forEach((name) => expect(page).toMatch(new RegExp(`>${name}</text>`)));
    expect(page).not.toMatch(/NaN|Infinity/);
  });

  it.each([
    ['of a run that is not public', { isPublic: false }, 'never leaves it'],
    ['of a run whose datasets nobody knows yet', { isPublic: null }, 'never leaves it'],
    ['of another split', { plan: toyDocument.plan }, 'the plan splits holdout'],
    [
      'of a preparation that was fitted once',
      { plan: { ...open.plan, evaluation: { split: 'leave-site-out', preparation: 'once' } } },
      'fitted once',
    ],
  ])('are not drawn %s, even where their means are at hand, and the page says why', (_, more, words) => {
    const document = { ...open, ...more };
    expect(whyNoSites(document, parsePlan(document.plan))).toContain(words);
    const page = reportPage(document, { sites: siteMeans(armsOf()) ?? [] });
    expect(page).toMatch(new RegExp(`Not drawn: .*${words}`));
    expect(page).not.toContain('Mean profiles');
    verifyMarkup(page);
  });

  it('are not drawn without means that compare them', () => {
    expect(reportPage(open)).toContain('Not drawn: no mean of at least ten units');
  });
});

describe('principal components of a few rows', () => {
  it('are exact on rows in a plane', () => {
    const [u, v] = [
      [0.6, 0.8, 0],
      [0, 0, 1],
    ] as const;
    const places = [
      [3, 0.5],
      [-2, 1],
      [-2, -0.5],
      [1, -1],
    ] as const;
    const rows = places.map(([a, b]) =>
      Float64Array.from([0, 1, 2], (j) => 7 + a * (u[j] ?? 0) + b * (v[j] ?? 0)),
    );
    const { scores, shares } = componentsOf(rows);
    expect(shares[0] + shares[1]).toBeCloseTo(1, 12);
    const apart = (p: readonly (readonly [number, number])[], i: number, k: number) =>
      Math.hypot((p[i]?.[0] ?? 0) - (p[k]?.[0] ?? 0), (p[i]?.[1] ?? 0) - (p[k]?.[1] ?? 0));
    for (const [i, k] of [
      [0, 1],
      [0, 3],
      [1, 2],
      [2, 3],
    ] as const)
      expect(apart(scores, i, k)).toBeCloseTo(apart(places, i, k), 10);
    expect(Math.max(...scores.map(([first]) => Math.abs(first)))).toBe(
      Math.max(...scores.map(([first]) => first)),
    );
  });
});
