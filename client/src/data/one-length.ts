import { basename } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { LETTERS, oneHot, sequencePanel } from '@regulon/shared/genomics';
import { readFasta, type Sequence } from './formats/sequences.js';
import { faultAt } from './table-reader.js';

/** Sequences of one length as a matrix. */
export interface SequenceMatrix {
  readonly names: readonly string[];
  /** four columns a base */
  readonly genes: readonly string[];
  /** row-major [sequences, genes] */
  readonly values: Float64Array;
  /** line of each sequence in its file */
  readonly places: readonly number[];
}

/** A model reads at most so many bases of a sequence. */
const MOST_BASES = 1_000_000;
/** Numbers that are held in memory. */
const MOST_VALUES = 2 ** 28;

/**
 * Read a FASTA file whose sequences are equally long.
 *
 * @throws E_DATA_FORMAT for another length than the first, E_DATA_DUPLICATE for a name that stands twice; naming file and
 *   line
 */
export async function readSequences(path: string): Promise<SequenceMatrix> {
  const file = basename(path);
  const sequences: Sequence[] = [];
  const lines = new Map<string, number>();
  let length = 0;
  for await (const sequence of readFasta(path)) {
    const { name, bases, line } = sequence;
    length ||= bases.length;
    if (bases.length !== length || length > MOST_BASES)
      throw faultAt(file, line, `${bases.length} bases instead of ${Math.min(length, MOST_BASES)}`);
    const before = lines.get(name);
    if (before !== undefined)
      throw faultAt(file, line, `the same name as line ${before}`, { code: 'E_DATA_DUPLICATE' });
    lines.set(name, line);
    sequences.push(sequence);
    if (sequences.length * LETTERS * length > MOST_VALUES)
      throw new RegulonError('E_DATA_FORMAT', `${file}: more than ${MOST_VALUES / LETTERS} bases together`);
  }
  const values = new Float64Array(sequences.length * LETTERS * length);
  sequences.forEach(({ bases }, i) => values.set(oneHot(bases), i * LETTERS * length));
  return {
    names: sequences.map(({ name }) => name),
    genes: sequencePanel(length),
    values,
    places: sequences.map(({ line }) => line),
  };
}
