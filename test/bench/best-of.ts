/**
 * Repeat some measurements in turn and keep the best of each: what other programs of the machine take falls out, and
 * every figure is compared with one of the same minutes.
 *
 * @param measure each gives a rate (more is better)
 */
export async function bestOf<K extends string>(
  times: number,
  measure: Readonly<Record<K, () => number | Promise<number>>>,
): Promise<Record<K, number>> {
  const names = Object.keys(measure) as K[];
  const best = Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>;
  for (let turn = 0; turn < times; turn++) {
    for (const name of names) best[name] = Math.max(best[name], await measure[name]());
  }
  return best;
}

/** Wall seconds of some work. */
export async function secondsOf(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** CPU seconds that this process, its threads included, spends on some work. */
export async function cpuSecondsOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
