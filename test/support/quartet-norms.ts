import { DONORS } from './quartet-sites.js';
import { toyPlan } from './toy-plan.js';

/** Fifteen batches of the Quartet metabolites, each a site. */
export const NORM_SITES = Array.from(
  { length: 15 },
  (_, batch) => `batch-${String(batch + 1).padStart(2, '0')}`,
);
/** Batches of each site, as `writeQuartetSites` takes them. */
export const NORM_BATCHES = NORM_SITES.map((_, batch) => [batch]);

/** The rules of all recipes of nets. */
export const NORM_OPTIMIZER = { name: 'adam', learningRate: 1e-3, weightDecay: 1e-4 };

/** BatchNorm over the units of a site before the input, whose weights stay there. @param units width of the trunk */
export const fedBn = (units: number, momentum?: number) => ({
  blocks: [
    {
      name: 'norm',
      aggregate: 'local',
      layers: [{ type: 'batch-norm', ...(momentum === undefined ? {} : { momentum }) }],
    },
    { name: 'trunk', layers: [{ type: 'dense', units, activation: 'relu' }] },
    { name: 'donor', layers: [{ type: 'dense', units: 'outputs' }] },
  ],
});

/** GroupNorm after the first layer. */
export const GROUP_NORM = {
  blocks: [
    {
      name: 'trunk',
      layers: [
        { type: 'dense', units: 256 },
        { type: 'group-norm', groups: 8 },
        { type: 'activation', function: 'relu' },
      ],
    },
    { name: 'donor', layers: [{ type: 'dense', units: 'outputs' }] },
  ],
};

/** A plan that tells the donor of a sample. @param more replaces whole sections */
export const normsPlan = (more: object) =>
  toyPlan(NORM_SITES, {
    dataset: { name: 'quartet', kind: 'expression', scale: 'log-ratio', unit: 'library' },
    label: { classes: DONORS.map((name) => ({ name, rule: `donor == "${name}"` })) },
    prepare: [{ step: 'z-score' }],
    secureAggregation: { weightCap: 16 },
    deadlines: {},
    ...more,
  });
