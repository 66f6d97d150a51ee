import { KeyedGenerator } from '@regulon/shared/models';

/** Units of a toy task: rows of features, and their targets if they have any. */
export interface ToyUnits {
  readonly features: number[][];
  /** one class a unit, or a row of targets */
  readonly targets?: number[][];
}

/** Makes units; the same dice give the same ones. */
export type ToyTask = (n: number, dice: Dice) => ToyUnits;

/** Seeded numbers. */
export class Dice {
  readonly #random: KeyedGenerator;

  constructor(seed: number) {
    this.#random = new KeyedGenerator(new Uint8Array(32).fill(seed));
  }

  /** in (−1, 1) */
  number(): number {
    return 2 * this.#random.uniform() - 1;
  }

  numbers(length: number): number[] {
    return Array.from({ length }, () => this.number());
  }

  below(bound: number): number {
    return this.#random.below(bound);
  }
}

const rows = <T>(n: number, of: () => T): T[] => Array.from({ length: n }, of);
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0);
/** The rule behind the data is the same at every site. */
const rule = (length: number): number[] => new Dice(99).numbers(length);

/** Two classes, divided by a plane. */
export const separable =
  (genes: number): ToyTask =>
  (n, dice) => {
    const features = rows(n, () => dice.numbers(genes));
    return { features, targets: features.map((x) => [dot(x, rule(genes)) > 0 ? 1 : 0]) };
  };

/** Profiles of two hidden factors; nothing to predict but themselves. */
export const twoFactors =
  (genes: number): ToyTask =>
  (n, dice) => {
    const loadings = rule(2 * genes);
    const features = rows(n, () => {
      const [u, v] = [dice.number(), dice.number()];
      return Array.from({ length: genes }, (_, g) => u * loadings[g]! + v * loadings[genes + g]!);
    });
    return { features };
  };

/** Targets that are linear in the features, each pushed through `shape`. */
export const linear =
  (genes: number, outputs: number, shape: (y: number) => number = (y) => y): ToyTask =>
  (n, dice) => {
    const features = rows(n, () => dice.numbers(genes));
    const targets = features.map((x) =>
      Array.from({ length: outputs }, (_, k) => shape(dot(x, rule(genes * outputs).slice(k * genes)))),
    );
    return { features, targets };
  };

/** Padded series of two channels with their masks; the class is the sign of the first channel's mean. */
export const series =
  (steps: number): ToyTask =>
  (n, dice) => {
    const made = rows(n, () => {
      const length = 3 + dice.below(steps - 2);
      const drift = dice.number();
      const values = Array.from({ length: 2 * steps }, (_, i) =>
        i < 2 * length ? (i % 2 === 0 ? drift : 0) + 0.3 * dice.number() : Number.NaN,
      );
      const mask = Array.from({ length: steps }, (_, t) => (t < length ? 1 : 0));
      return { row: [...values, ...mask], label: drift > 0 ? 1 : 0 };
    });
    return { features: made.map(({ row }) => row), targets: made.map(({ label }) => [label]) };
  };

/** Two omics that see the same factor, of which each unit may lack one; masks behind the values. */
export const twoOmics =
  (rna: number, protein: number): ToyTask =>
  (n, dice) => {
    const made = rows(n, () => {
      const factor = dice.number();
      const lacks = dice.below(3);
      const omic = (genes: number, absent: boolean): number[] => [
        ...rule(genes).map((w) => (absent ? Number.NaN : w * factor + 0.1 * dice.number())),
        absent ? 0 : 1,
      ];
      return { row: [...omic(rna, lacks === 1), ...omic(protein, lacks === 2)], label: factor > 0 ? 1 : 0 };
    });
    return { features: made.map(({ row }) => row), targets: made.map(({ label }) => [label]) };
  };

const MOTIF = [3, 2, 0, 1, 3];

/** One-hot sequences; half of them hold a motif on either strand. */
export const motif =
  (length: number): ToyTask =>
  (n, dice) => {
    const made = rows(n, () => {
      const bases = Array.from({ length }, () => dice.below(4));
      const label = dice.below(2);
      const strand = dice.below(2) === 0 ? MOTIF : [...MOTIF].reverse().map((base) => 3 - base);
      if (label === 1) bases.splice(dice.below(length - MOTIF.length), MOTIF.length, ...strand);
      return { row: bases.flatMap((base) => [0, 1, 2, 3].map((b) => (b === base ? 1 : 0))), label };
    });
    return { features: made.map(({ row }) => row), targets: made.map(({ label }) => [label]) };
  };

/** Numbers of words; the class of each step says whether its word is even, that of padding is missing. */
export const words =
  (steps: number, vocabulary: number): ToyTask =>
  (n, dice) => {
    const features = rows(n, () => {
      const length = 2 + dice.below(steps - 1);
      return Array.from({ length: steps }, (_, t) => (t < length ? dice.below(vocabulary) : -1));
    });
    return { features, targets: features.map((ids) => ids.map((id) => (id < 0 ? -1 : id % 2))) };
  };

/** Times to an event that grow shorter with the risk; a third of them is cut off. Target: time, event. */
export const survival =
  (genes: number): ToyTask =>
  (n, dice) => {
    const features = rows(n, () => dice.numbers(genes));
    const targets = features.map((x) => {
      const time = Math.exp(-dot(x, rule(genes))) * (1 + 0.2 * dice.number());
      return dice.below(3) === 0 ? [0.7 * time, 0] : [time, 1];
    });
    return { features, targets };
  };
