/** Least milliseconds of each of some works, done in turns; each is done once before. */
export type FastestOf = <K extends string>(
  works: Readonly<Record<K, () => unknown>>,
) => Promise<Record<K, number>>;

/** @param turns how often each work is timed */
export function fastestOf(turns: number): FastestOf {
  return async <K extends string>(works: Readonly<Record<K, () => unknown>>) => {
    const names = Object.keys(works) as K[];
    const least = Object.fromEntries(names.map((name) => [name, Infinity])) as Record<K, number>;
    for (const name of names) await works[name]();
    for (let turn = 0; turn < turns; turn++) {
      for (const name of names) {
        const started = performance.now();
        await works[name]();
        least[name] = Math.min(least[name], performance.now() - started);
      }
    }
    return least;
  };
}
