import { sha256, hex, utf8 } from '@regulon/shared/crypto';
import { parsePlan, type Plan } from '@regulon/shared/plan';
import { noiseOfPlan } from '@regulon/shared/program';

/** ε that are measured; ∞ = no protection at all. */
export const EPSILONS = [1, 3, 8, Infinity] as const;

/** A plan that is measured at some ε. */
export interface Configuration {
  readonly name: string;
  readonly epsilons: readonly number[];
  /** genes of the example plan; or so many that no data chose, by the digest of their names */
  readonly genes: 'listed' | number;
  /** layers before the output */
  readonly layers: readonly object[];
  readonly privacy: { readonly localSteps: number; readonly samplingRate?: number; readonly rounds: number };
  readonly learningRate: number;
  /** share of the patients of each site that take part; default 1 */
  readonly share?: number;
}

const dense = (units: number) => ({ type: 'dense', units, activation: 'tanh' });
const CNN = [
  { type: 'conv1d', filters: 8, kernel: 5, activation: 'tanh' },
  { type: 'max-pool1d', size: 2 },
  { type: 'conv1d', filters: 16, kernel: 5, activation: 'tanh' },
  { type: 'max-pool1d', size: 2 },
  { type: 'flatten' },
  dense(32),
];
const GROUPED = [
  { type: 'conv1d', filters: 4, kernel: 5 },
  { type: 'group-norm', groups: 2 },
  { type: 'activation', function: 'tanh' },
  { type: 'max-pool1d', size: 4 },
  { type: 'flatten' },
];
const LINEAR = { layers: [], privacy: { localSteps: 4, rounds: 5 }, learningRate: 1 };
const WIDE = { genes: 1000, epsilons: EPSILONS } as const;
const LISTED = { genes: 'listed', epsilons: [8] } as const;

/** What the table holds, in its order. */
export const configurations: readonly Configuration[] = [
  { name: 'linear-1000', ...WIDE, layers: [], privacy: { localSteps: 10, rounds: 10 }, learningRate: 0.1 },
  {
    name: 'mlp-1000',
    ...WIDE,
    layers: [dense(128)],
    privacy: { localSteps: 4, rounds: 5 },
    learningRate: 0.05,
  },
  { name: 'cnn-1000', ...WIDE, layers: CNN, privacy: { localSteps: 4, rounds: 5 }, learningRate: 0.05 },
  { name: 'linear-50', ...LISTED, ...LINEAR, epsilons: EPSILONS },
  { name: 'linear-50-sampled', ...LISTED, ...LINEAR, privacy: { ...LINEAR.privacy, samplingRate: 0.5 } },
  { name: 'linear-50-half', ...LISTED, ...LINEAR, share: 0.5 },
  { name: 'linear-50-any', ...LISTED, ...LINEAR, genes: 50 },
  { name: 'mlp-50', ...LISTED, ...LINEAR, layers: [dense(16)], learningRate: 0.5 },
  { name: 'cnn-50-group-norm', ...LISTED, ...LINEAR, layers: GROUPED, learningRate: 0.5 },
];

/**
 * The plan of a configuration: the example's, with noise as `plan estimate --epsilon` calibrates it; without any protection
 * the plan trains as the example `brca3-mlp.yaml` does.
 *
 * @param names the panel
 * @param seed of the initial weights
 */
export function planOf(
  example: Plan,
  { genes, layers, privacy, learningRate }: Configuration,
  { epsilon, names, seed }: { epsilon: number; names: readonly string[]; seed: number },
): Plan {
  const { privacy: claimed, ...unprotected } = example;
  if (!claimed) throw new Error('the example claims no privacy');
  const output = { type: 'dense', units: 'outputs' };
  const prepare = genes === 'listed' ? example.prepare : [someGenes(names, genes), { step: 'clr' }];
  const net = { blocks: [{ name: 'net', layers: [...layers, output] }] };
  const base = { ...unprotected, seed, prepare, model: net };
  if (epsilon === Infinity) {
    const optimizer = { name: 'adam', learningRate: layers.length > 0 ? 0.001 : 0.01, weightDecay: 0.0001 };
    return parsePlan({ ...base, training: { rounds: 20, localEpochs: 2, batchSize: 32, optimizer } });
  }
  const { rounds, ...steps } = privacy;
  const plan = parsePlan({
    ...base,
    training: { rounds, localEpochs: 1, batchSize: 64, optimizer: { name: 'sgd', learningRate } },
    privacy: { ...claimed, ...steps, noiseMultiplier: 1 },
  });
  return { ...plan, privacy: { ...claimed, ...plan.privacy, noiseMultiplier: noiseOfPlan(plan, epsilon) } };
}

/** Genes by the order of the digests of their names. */
function someGenes(names: readonly string[], count: number) {
  const byDigest = names
    .map((name, i) => ({ name, at: i + 1, digest: hex(sha256(utf8(name))) }))
    .sort((a, b) => (a.digest < b.digest ? -1 : 1));
  const genes = byDigest.slice(0, count).sort((a, b) => a.at - b.at);
  return { step: 'gene-list', genes: genes.map(({ name, at }) => ({ name, at })) };
}
