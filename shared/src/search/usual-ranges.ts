/** What is usually searched, by the last name of a key. */
const USUAL: Readonly<Record<string, object>> = {
  learningRate: { low: 1e-4, high: 1e-2, log: true },
  weightDecay: { low: 1e-6, high: 1e-2, log: true },
  rate: { low: 0, high: 0.6 },
  units: { low: 32, high: 512, whole: true },
  filters: { low: 8, high: 64, whole: true },
  kernel: { low: 3, high: 25, whole: true },
  batchSize: { low: 8, high: 64, whole: true },
  localEpochs: { low: 1, high: 5, whole: true },
  rounds: { low: 20, high: 200, whole: true },
};

/** A dimension of which only the key is said, with its usual range; any other value as it is. */
export function withUsualRange(dimension: unknown): unknown {
  if (typeof dimension !== 'object' || dimension === null || Object.keys(dimension).length !== 1)
    return dimension;
  const key = 'key' in dimension && typeof dimension.key === 'string' ? dimension.key : '';
  const last = key.split('.').at(-1) ?? '';
  return Object.hasOwn(USUAL, last) ? { key, ...USUAL[last] } : dimension;
}
