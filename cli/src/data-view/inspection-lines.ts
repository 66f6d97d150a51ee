import type { Inspection, Vocabulary } from '@regulon/client/data';
import { histogramLines, numberText } from './histogram-lines.js';

const BECAUSE: Readonly<Record<Inspection['because'], string>> = {
  names: 'told by the names',
  labels: 'told by the label table',
  symbols: 'the names look like it',
  shape: 'a guess from the shape: say --orientation',
  format: 'told by the format',
  you: 'as you said',
};

const SCALE: Readonly<Record<Inspection['scale'], string>> = {
  counts: 'counts (whole numbers, none negative)',
  cpm: 'CPM (every unit sums to a million, multiples of one count)',
  tpm: 'TPM or FPKM-like (every unit sums to a million)',
  log: 'logarithms (small, none negative)',
  'log-ratio': 'log-ratios or centred logarithms (some negative)',
  linear: 'linear, no counts (normalised counts or intensities)',
  'signed-intensities': 'intensities with negative values: clip before any logarithm',
  constant: 'all one value',
};

/** More columns than this are counted, not shown. */
const MAX_VOCABULARIES = 8;

/** A smallest value that is so frequent was written by a person or a machine. */
const FLOOR_SHARE = 0.02;
const MAX_ASSOCIATIONS = 3;
const MAX_WORD = 32;

/** An inspection on one screen. */
export function inspectionLines(i: Inspection): string[] {
  const rows: (readonly [string, string] | null)[] = [
    ['file', i.file],
    ['format', i.format],
    ['shape', `${count(i.genes)} genes × ${count(i.units)} units`],
    ['orientation', `${i.orientation} (${BECAUSE[i.because]})`],
    ['scale', SCALE[i.scale]],
    ['range', `${numberText(i.min)} … ${numberText(i.max)}`],
    ['zeros, missing', `${share(i.zeros, i.cells)} zero, ${share(i.missing, i.cells)} missing`],
    ['identifiers', kinds(i.identifiers)],
    i.mapping === null ? null : ['gene table', mapping(i.mapping)],
    ['duplicates', duplicates(i)],
    i.silentGenes + i.silentUnits > 0
      ? [
          'silent',
          `${parts([i.silentGenes, 'genes'], [i.silentUnits, 'units'])} without any value but zero${i.scale === 'counts' ? '' : ': not measured?'}`,
        ]
      : null,
    i.scale !== 'counts' && i.atFloor > FLOOR_SHARE * i.cells
      ? [
          'floor',
          `${share(i.atFloor, i.cells)} of values are the smallest one: a detection limit, no measurement`,
        ]
      : null,
    i.constantGenes + i.repeatedUnits > 0
      ? [
          'alike',
          parts([i.constantGenes, 'genes do not vary'], [i.repeatedUnits, 'units repeat another one']),
        ]
      : null,
    i.unlabelled === null
      ? null
      : [
          'labels',
          `${count(i.unlabelled)} units without a label, ${count(i.surplusLabels ?? 0)} labels without data`,
        ],
    ['values but 0', histogramLines(i.histograms.values)],
    ['sum a unit', histogramLines(i.histograms.unitSums)],
    ['detected a unit', histogramLines(i.histograms.detected)],
    ...i.associations.slice(0, MAX_ASSOCIATIONS).map((a) => [a.level, association(a)] as const),
    ...i.notes.map((note) => ['note', note] as const),
    ...i.vocabularies.slice(0, MAX_VOCABULARIES).map((v) => [`${v.of}: ${v.column}`, words(v)] as const),
    i.vocabularies.length > MAX_VOCABULARIES
      ? ['', `… and ${i.vocabularies.length - MAX_VOCABULARIES} more annotations (--format json shows all)`]
      : null,
  ];
  const shown = rows.filter((row) => row !== null);
  const width = Math.min(28, Math.max(...shown.map(([title]) => title.length)));
  return shown.map(([title, text]) => `${title.padEnd(width)}  ${text}`.slice(0, 160));
}

/** What there is of some things; nothing is said of what there is none of. */
const parts = (...all: readonly (readonly [n: number, what: string])[]): string =>
  all
    .filter(([n]) => n > 0)
    .map(([n, what]) => `${count(n)} ${what}`)
    .join(', ');

function kinds(identifiers: Inspection['identifiers']): string {
  const parts = Object.entries(identifiers).map(([kind, n]) => `${count(n)} ${kind}`);
  return parts.length > 5 ? `${parts.slice(0, 5).join(', ')}, …` : parts.join(', ');
}

function mapping(m: NonNullable<Inspection['mapping']>): string {
  const known = Object.entries(m.ways).map(([way, n]) => `${count(n)} by ${way}`);
  const lost = [
    ...[`${count(m.unknown)} unknown`, `${count(m.ambiguous)} of several genes`],
    ...[`${count(m.damaged)} damaged`, `${count(m.surplus)} second names`],
  ].filter((text) => !text.startsWith('0 '));
  return `${m.source} ${m.release}: ${[...known, ...lost].join(', ')}`;
}

/** A label that hangs together with a batch, as a hint for the people of the site. */
export function association(a: Inspection['associations'][number]): string {
  const rule = `the majority of its ${a.batch} labels ${percent(a.batchRule)} of units rightly, the largest class is ${percent(a.majority)}`;
  const gaps = a.absent > 0 ? `; ${count(a.absent)} pairs without a unit` : '';
  return `${a.label} goes with ${a.batch} (V ${a.correctedV.toFixed(2)}): ${rule}${gaps}`;
}

const percent = (x: number): string => `${(100 * x).toFixed(0)} %`;

function duplicates({ duplicateGenes, duplicateUnits }: Inspection): string {
  if (duplicateGenes.count + duplicateUnits.count === 0) return 'none';
  const text = (what: string, { count: n, places }: Inspection['duplicateGenes']): string[] =>
    n === 0 ? [] : [`${count(n)} names of ${what} stand twice (${places.join('; ')})`];
  return [...text('genes', duplicateGenes), ...text('units', duplicateUnits)].join(', ');
}

const short = (word: string): string => (word.length > MAX_WORD ? `${word.slice(0, MAX_WORD - 1)}…` : word);

export function words({ distinct, missing, frequent }: Vocabulary): string {
  const gap = missing > 0 ? `, ${count(missing)} missing` : '';
  if (distinct > 12 && frequent.every(([word]) => word !== '' && Number.isFinite(Number(word))))
    return `${count(distinct)} different numbers${gap}`;
  if (distinct > 40) return `${count(distinct)} different values${gap}`;
  const more = distinct > frequent.length ? ' …' : '';
  return `${frequent.map(([word, n]) => `${short(word)} ${count(n)}`).join(', ')}${more}${gap}`;
}

const count = (n: number): string => n.toLocaleString('en');

function share(part: number, whole: number): string {
  if (part === 0) return 'none';
  const percent = (100 * part) / Math.max(1, whole);
  return percent < 0.1 ? '< 0.1 %' : `${percent.toFixed(1)} %`;
}
