import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from './random.js';
import type { SimulatedSite } from './simulate-sites.js';

/** What sequences with a coding stretch are simulated, and where they are written. */
export interface CodingSimulation {
  /** folder that receives one folder a site */
  readonly folder: string;
  /** u32 */
  readonly seed: number;
  /** names of the sites */
  readonly sites: readonly string[];
  /** bases of a sequence */
  readonly length: number;
  /** what the names of the label columns begin with */
  readonly columnsPrefix: string;
  /** sequences of each site; default 80 */
  readonly sequences?: number;
}

const BASES = 'ACGT';
const CODONS = [...BASES].flatMap((a) => [...BASES].flatMap((b) => [...BASES].map((c) => a + b + c)));
/** How uneven codons are used: of a Dirichlet distribution. */
const EVENNESS = 0.3;
/** One base in so many has no label: somebody could not tell. */
const UNLABELLED = 50;

/**
 * Write sequences of uniform bases, a stretch of each drawn by codons whose usage all sites share: `sequences.fa`, and
 * `design.tsv` with a column a base: 1 inside the stretch, 0 outside, empty where nobody knows. The same seed gives the
 * same bytes.
 */
export function simulateCoding(simulation: CodingSimulation): SimulatedSite[] {
  const { seed, sequences = 80, length, columnsPrefix } = simulation;
  const shared = new Random(seed, 'coding/usage');
  const usage = CODONS.map(() => shared.gamma(EVENNESS));
  const heading = Array.from({ length }, (_, base) => `${columnsPrefix}${base + 1}`);
  return simulation.sites.map((name) => {
    const random = new Random(seed, `coding/${name}`);
    const drawn = Array.from({ length: sequences }, (_, i) => ({
      id: `${name}-C${String(i + 1).padStart(4, '0')}`,
      ...codingOf(length, usage, random),
    }));
    const folder = join(simulation.folder, name);
    mkdirSync(folder, { recursive: true });
    const [counts, labels] = [join(folder, 'sequences.fa'), join(folder, 'design.tsv')];
    writeFileSync(counts, drawn.map(({ id, bases }) => `>${id}\n${bases.join('')}\n`).join(''));
    const rows = drawn.map(({ id, track }) => [id, ...track].join('\t'));
    writeFileSync(labels, `${[['sequence', ...heading].join('\t'), ...rows].join('\n')}\n`);
    return { name, counts, labels, units: sequences };
  });
}

/** A stretch of 3/10 to 7/10 of the sequence, in any frame. */
function codingOf(
  length: number,
  usage: readonly number[],
  random: Random,
): { bases: string[]; track: string[] } {
  const bases = Array.from({ length }, () => BASES[random.integer(0, 3)] ?? 'A');
  const codons = random.integer(Math.floor(length / 10), Math.floor((7 * length) / 30));
  const from = random.integer(0, length - 3 * codons);
  const stretch = Array.from({ length: codons }, () => [...(CODONS[random.choose(usage)] ?? 'AAA')]).flat();
  bases.splice(from, stretch.length, ...stretch);
  const track = bases.map((_, base) => {
    if (random.integer(1, UNLABELLED) === 1) return '';
    return base >= from && base < from + stretch.length ? '1' : '0';
  });
  return { bases, track };
}
