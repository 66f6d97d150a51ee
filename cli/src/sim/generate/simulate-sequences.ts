import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from './random.js';
import type { SimulatedSite } from './simulate-sites.js';

/** What sequences are simulated, and where they are written. */
export interface SequenceSimulation {
  /** folder that receives one folder a site */
  readonly folder: string;
  /** u32 */
  readonly seed: number;
  /** names of the sites */
  readonly sites: readonly string[];
  /** sequences of each site; default 500 */
  readonly sequences?: number;
  /** bases of a sequence; default 101 */
  readonly length?: number;
}

const BASES = 'ACGT';
/** The site of AP-1 with what stands around it. */
const MOTIF = 'TGACTCAGCA';
/** Probability that a base of a planted motif is drawn anew. */
const REDRAWN = 0.1;

/**
 * Write sequences of uniform bases, half of them with one motif at a random place and on a random strand:
 * `sequences.fa` and `design.tsv` with the column `bound`. The same seed gives the same bytes.
 */
export function simulateSequences(simulation: SequenceSimulation): SimulatedSite[] {
  const { seed, sequences = 500, length = 101 } = simulation;
  return simulation.sites.map((name) => {
    const random = new Random(seed, `sequences/${name}`);
    const drawn = Array.from({ length: sequences }, (_, i) => ({
      id: `${name}-S${String(i + 1).padStart(4, '0')}`,
      ...sequenceOf(length, random),
    }));
    const folder = join(simulation.folder, name);
    mkdirSync(folder, { recursive: true });
    const [counts, labels] = [join(folder, 'sequences.fa'), join(folder, 'design.tsv')];
    writeFileSync(counts, drawn.map(({ id, bases }) => `>${id}\n${bases}\n`).join(''));
    writeFileSync(labels, `sequence\tbound\n${drawn.map(({ id, bound }) => `${id}\t${bound}\n`).join('')}`);
    return { name, counts, labels, units: sequences };
  });
}

function sequenceOf(length: number, random: Random): { bases: string; bound: 0 | 1 } {
  const draw = (): string => BASES[random.integer(0, 3)] ?? 'A';
  const bases = Array.from({ length }, draw);
  if (random.uniform() < 0.5) return { bases: bases.join(''), bound: 0 };
  const planted = [...MOTIF].map((base) => (random.uniform() < REDRAWN ? draw() : base));
  const strand = random.uniform() < 0.5 ? planted : planted.reverse().map(complement);
  bases.splice(random.integer(0, length - MOTIF.length), MOTIF.length, ...strand);
  return { bases: bases.join(''), bound: 1 };
}

const complement = (base: string): string => BASES[3 - BASES.indexOf(base)] ?? 'A';
