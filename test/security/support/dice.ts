import { sha256, u32 } from '@regulon/shared/crypto';
import { KeyedGenerator } from '@regulon/shared/models';

/** Choices that are the same for the same seed. */
export class Dice {
  private readonly generator: KeyedGenerator;

  constructor(seed: number) {
    this.generator = new KeyedGenerator(sha256(u32(seed)));
  }

  /** Uniform integer in [0, bound). */
  below(bound: number): number {
    return this.generator.below(bound);
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.generator.uniform();
  }

  /** True once in so many times; never for 0. */
  chance(oneIn: number): boolean {
    return oneIn > 0 && this.below(oneIn) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** A copy in another order. */
  shuffled<T>(list: readonly T[]): T[] {
    const copy = [...list];
    for (let i = copy.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [copy[i], copy[j]] = [copy[j] as T, copy[i] as T];
    }
    return copy;
  }

  /** Without one element, and perhaps some more. */
  subset<T>(list: readonly T[]): T[] {
    const out = this.pick(list);
    return list.filter((element) => element !== out && !this.chance(8));
  }

  /** One byte of one field of one message is changed; where it has none, a message stands twice. */
  spoiled<T extends object>(list: readonly T[], field: string): T[] {
    const at = this.below(Math.max(1, list.length));
    const message = list[at] as Record<string, unknown> | undefined;
    const bytes = message?.[field];
    if (!(bytes instanceof Uint8Array) || bytes.length === 0) return [...list, ...list.slice(0, 1)];
    const changed = bytes.slice();
    changed[this.below(changed.length)] = this.below(256);
    return list.with(at, { ...message, [field]: changed } as unknown as T);
  }
}
