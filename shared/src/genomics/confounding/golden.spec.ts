import { describe, expect, it } from '@jest/globals';
import { brcaTable, cellsOf, linesOf, withData } from '../golden-data.support.js';
import { requireStep } from '../fitted-steps.js';
import { statisticsSteps } from '../statistics-steps.js';
import { fitOver } from '../sums.support.js';
import type { UnitsView } from '../view.js';
import { findingOf } from '../findings/finding.js';
import { type Association, associationOf } from './association.js';

/** Units of one gene; only labels and batches matter here. */
const site = (labels: readonly number[], classes: number): UnitsView => ({
  ...{ n: labels.length, genes: 1, classes },
  labels: Int32Array.from(labels),
  values: Float64Array.from(labels, (_, i) => i + 1),
});

function associated(sites: readonly UnitsView[], classes: number): Association {
  const options = { genes: 1, classes, weightCap: 1000, fractionBits: 32, uMin: 1, minUnits: 0 };
  const spec = fitOver(sites, statisticsSteps([{ step: 'confounding' }], options), 'secure');
  const association = associationOf(requireStep(spec, 'confounding'));
  const finding = findingOf(spec, 'confounding');
  expect(finding?.level).toBe(association.level);
  expect(finding?.text).toContain(`${association.level}: labels and batches: corrected Cramér's V`);
  expect(findingOf(spec, 'counts')).toBeNull();
  return association;
}

/** Labels by group: each name becomes a class in the order of first sight. */
function sitesOf(pairs: readonly (readonly [string, string])[]): { sites: UnitsView[]; classes: number } {
  const classes = [...new Set(pairs.map(([, label]) => label))];
  const groups = [...new Set(pairs.map(([group]) => group))];
  const sites = groups.map((group) =>
    site(
      pairs.filter(([own]) => own === group).map(([, label]) => classes.indexOf(label)),
      classes.length,
    ),
  );
  return { sites, classes: classes.length };
}

const levelOf = (pairs: readonly (readonly [string, string])[]): Association => {
  const { sites, classes } = sitesOf(pairs);
  return associated(sites, classes);
};

describe('labels against batches (genomics.md §5)', () => {
  withData('alarm on the plates of the multiple-sclerosis series (needs the shared data)', () => {
    const [header = '', ...lines] = linesOf('ms_ifnb/patient_sheet1.csv.gz');
    const names = cellsOf(header).map((name) => name.trim().toLowerCase());
    const at = (wanted: RegExp): number => names.findIndex((name) => wanted.test(name));
    const [patient, plate, responder] = [at(/patient/), at(/plate/), at(/respon/)];
    const visits = lines.map((line) => cellsOf(line));
    const plates = new Map<string, Map<string, number>>();
    const outcome = new Map<string, string>();
    for (const cells of visits) {
      const own = plates.get(cells[patient] ?? '') ?? new Map<string, number>();
      own.set(cells[plate] ?? '', (own.get(cells[plate] ?? '') ?? 0) + 1);
      plates.set(cells[patient] ?? '', own);
      outcome.set(cells[patient] ?? '', (cells[responder] ?? '').trim().toLowerCase());
    }
    const pairs = [...plates].map(([id, counts]): [string, string] => [
      [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? '',
      outcome.get(id) ?? '',
    ]);
    expect(pairs).toHaveLength(53);
    const found = levelOf(pairs);
    expect(found.level).toBe('alarm');
    expect(found.cramersV).toBeCloseTo(0.728, 2);
    expect(found.correctedV).toBeCloseTo(0.708, 2);
    expect(found.batchRule).toBeCloseTo(0.849, 3);
    expect(found.majority).toBeCloseTo(0.623, 3);
  });

  withData('notice on the five batches of cell lines (needs the shared data)', () => {
    const batches = ['celseq2', 'dropseq', 'celseq2_5cl_p1', 'celseq2_5cl_p2', 'celseq2_5cl_p3'];
    const pairs = batches.flatMap((batch) => {
      const [header = '', ...lines] = linesOf(`sc_mixology/sc_${batch}.metadata.csv.gz`);
      const names = cellsOf(header);
      const column = names.indexOf('cell_line_demuxlet');
      return lines.map((line): [string, string] => {
        const cells = cellsOf(line);
        return [batch, cells[column + cells.length - names.length] ?? ''];
      });
    });
    expect(pairs).toHaveLength(1408);
    const found = levelOf(pairs);
    expect(found.level).toBe('notice');
    expect(found.correctedV).toBeCloseTo(0.286, 2);
  });

  withData('silence on Quartet and on the breast cancer clients (needs the shared data)', () => {
    const [header = '', ...lines] = linesOf('quartet/figshare/meta_full_dataset_3omics.csv');
    const names = header.split(',');
    const of = (cells: string[], name: string): string => cells[names.indexOf(name)] ?? '';
    const quartet = lines
      .map((line) => line.split(','))
      .filter((cells) => of(cells, 'datatype') === 'Metabolite')
      .map((cells): [string, string] => [of(cells, 'batch'), of(cells, 'sample')]);
    expect(levelOf(quartet)).toMatchObject({ level: 'quiet', correctedV: 0 });
    const brca = [1, 2, 3, 4, 5].flatMap((client) => {
      const { columns, design } = brcaTable(client);
      return columns.map((unit): [string, string] => {
        const row = design.get(unit);
        return [
          `c${client}`,
          row?.get('Basal') === 1 ? 'Basal' : row?.get('is_LumA') === 1 ? 'LumA' : 'LumB',
        ];
      });
    });
    const found = levelOf(brca);
    expect(found.level).toBe('quiet');
    expect(found.correctedV).toBeCloseTo(0.12, 2);
  });

  it('alarm when batch and label are one, quiet when each batch holds the same mix', () => {
    const half = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
    expect(associated([site(half, 2), site(half, 2), site(half, 2)], 2).level).toBe('quiet');
    const apart = associated([site([0, 0, 0, 0, 0, 0], 2), site([1, 1, 1, 1, 1, 1], 2)], 2);
    expect(apart).toMatchObject({ level: 'alarm', batchRule: 1, majority: 0.5 });
    expect(apart.cramersV).toBeCloseTo(1, 2);
  });

  it('send five numbers at 10 fraction bits, never the table of site and label', () => {
    const options = { genes: 1, classes: 2, weightCap: 1000, fractionBits: 32, uMin: 1 };
    const round = statisticsSteps([{ step: 'confounding' }], options)[1];
    expect([round?.id, round?.fractionBits]).toEqual(['confounding', 10]);
    expect(() => statisticsSteps([{ step: 'confounding' }], { ...options, classes: 0 })).toThrow(
      'needs a label',
    );
  });
});
