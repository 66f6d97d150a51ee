import { basename } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { faultAt } from '../table-reader.js';
import { textLines } from '../text-lines.js';

/** One sequence of a FASTA file. */
export interface Sequence {
  readonly name: string;
  /** upper case; letters of IUPAC */
  readonly bases: string;
  readonly line: number;
}

/** Bases of one sequence: more than any chromosome. */
const MAX_BASES = 2 ** 28;

/**
 * FASTA, one sequence after another. Lower case (masked repeats) becomes upper case.
 *
 * @throws E_DATA_FORMAT naming file, line and rule
 */
export async function* readFasta(path: string): AsyncGenerator<Sequence> {
  const file = basename(path);
  let open: { name: string; line: number; pieces: string[]; bases: number } | null = null;
  const closed = (): Sequence | null => {
    if (!open) return null;
    if (open.bases === 0) throw faultAt(file, open.line, 'the sequence is empty');
    return { name: open.name, bases: open.pieces.join(''), line: open.line };
  };
  for await (const { first, lines } of textLines(path)) {
    for (const [i, text] of lines.entries()) {
      const line = first + i;
      const trimmed = text.trim();
      if (trimmed === '') continue;
      if (trimmed.startsWith('>')) {
        const done = closed();
        if (done) yield done;
        const name = trimmed.slice(1).trim().split(/\s/)[0] ?? '';
        if (name === '') throw faultAt(file, line, 'the sequence has no name');
        open = { name, line, pieces: [], bases: 0 };
        continue;
      }
      if (!open) throw faultAt(file, line, 'bases before the first name');
      if (!/^[ACGTUNRYSWKMBDHV*-]+$/i.test(trimmed)) throw faultAt(file, line, 'a letter that is no base');
      open.pieces.push(trimmed.toUpperCase());
      open.bases += trimmed.length;
      if (open.bases > MAX_BASES) throw faultAt(file, line, `more than ${MAX_BASES} bases`);
    }
  }
  const last = closed();
  if (!last) throw new RegulonError('E_DATA_FORMAT', `${file}: holds no sequence`);
  yield last;
}

/** One interval of a BED file: [start, end), counted from 0. */
export interface Interval {
  readonly chromosome: string;
  readonly start: number;
  readonly end: number;
  readonly name: string | null;
  /** null where the strand is not said */
  readonly strand: '+' | '-' | null;
  readonly line: number;
}

/**
 * BED, one interval after another; lines of `track`, `browser` and comments are passed over.
 *
 * @throws E_DATA_FORMAT naming file, line, column and rule
 */
export async function* readBed(path: string): AsyncGenerator<Interval> {
  const file = basename(path);
  let width = 0;
  for await (const { first, lines } of textLines(path)) {
    for (const [i, text] of lines.entries()) {
      if (text.trim() === '' || /^(#|track|browser)/.test(text)) continue;
      const cells = text.split(text.includes('\t') ? '\t' : / +/);
      width ||= cells.length;
      yield intervalOf(cells, width, file, first + i);
    }
  }
  if (width === 0) throw new RegulonError('E_DATA_FORMAT', `${file}: holds no interval`);
}

function intervalOf(cells: readonly string[], width: number, file: string, line: number): Interval {
  if (cells.length !== width || width < 3)
    throw faultAt(file, line, `${cells.length} cells instead of ${width}`);
  const [chromosome = '', from = '', to = '', name, , strand] = cells;
  if (chromosome === '') throw faultAt(file, line, 'no chromosome', { column: 1 });
  [from, to].forEach((cell, c) => {
    if (!/^\d{1,10}$/.test(cell)) throw faultAt(file, line, 'no position', { column: c + 2 });
  });
  const [start, end] = [Number(from), Number(to)];
  if (end < start) throw faultAt(file, line, 'the end lies before the start', { column: 3 });
  if (strand !== undefined && !['+', '-', '.'].includes(strand))
    throw faultAt(file, line, 'no strand', { column: 6 });
  const known = strand === '+' || strand === '-' ? strand : null;
  return { chromosome, start, end, name: name ?? null, strand: known, line };
}

/** What a file of sequences or intervals holds. */
export interface RecordSummary {
  readonly file: string;
  readonly format: 'FASTA' | 'BED';
  readonly records: number;
  /** shortest and longest sequence or interval */
  readonly shortest: number;
  readonly longest: number;
  readonly total: number;
  readonly duplicateNames: number;
  /** FASTA: letters that stand for several bases; BED: intervals without a strand */
  readonly ambiguous: number;
}

/** Whether a file holds sequences or intervals, by its name. */
export const isRecordFile = (path: string): boolean => /\.(fa|fasta|fna|bed)(\.gz)?$/i.test(path);

/** Go through a file of sequences or intervals. @throws E_DATA_FORMAT */
export async function summariseRecords(path: string): Promise<RecordSummary> {
  const isBed = /\.bed(\.gz)?$/i.test(path);
  const lengths = { shortest: Infinity, longest: 0, total: 0 };
  const names = new Set<string>();
  let [records, named, ambiguous] = [0, 0, 0];
  const add = (length: number, name: string | null): void => {
    records++;
    lengths.shortest = Math.min(lengths.shortest, length);
    lengths.longest = Math.max(lengths.longest, length);
    lengths.total += length;
    if (name === null) return;
    named++;
    names.add(name);
  };
  if (isBed) {
    for await (const { start, end, name, strand } of readBed(path)) {
      add(end - start, name);
      if (strand === null) ambiguous++;
    }
  } else {
    for await (const { bases, name } of readFasta(path)) {
      add(bases.length, name);
      ambiguous += bases.length - (bases.match(/[ACGTU]/g)?.length ?? 0);
    }
  }
  const format = isBed ? 'BED' : 'FASTA';
  return { file: basename(path), format, records, ...lengths, duplicateNames: named - names.size, ambiguous };
}
