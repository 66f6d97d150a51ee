/** A few thousand of very many numbers, each with the same chance; the same numbers give the same sample. */
export class NumberSample {
  private readonly kept: Float64Array;
  private seen = 0;
  private state = 0x2545_f491;

  constructor(capacity: number) {
    this.kept = new Float64Array(capacity);
  }

  add(value: number): void {
    const { kept } = this;
    if (this.seen < kept.length) kept[this.seen] = value;
    else {
      const at = this.random() * (this.seen + 1);
      if (at < kept.length) kept[Math.floor(at)] = value;
    }
    this.seen++;
  }

  /** @returns sorted copy */
  sorted(): Float64Array {
    return this.kept.slice(0, Math.min(this.seen, this.kept.length)).sort();
  }

  /** xorshift32: chance enough for a histogram */
  private random(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return (x >>> 0) / 2 ** 32;
  }
}

/** Value below which a share of a sorted array lies; NaN of an empty one. */
export function quantileOf(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return NaN;
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}
