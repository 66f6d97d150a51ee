import { z } from 'zod';
import { modelDeclarationSchema } from '../models/index.js';
import { dataUseSchema } from './data-use-terms.js';
import { scheduleSchema } from './learning-rate.js';
import { count, name, positive } from './fields.js';
import { signedText } from './signed-text.js';
import { stoppingRuleSchema } from './early-stopping.js';
import { labelClassSchema, targetSchema } from './targets.js';
import { design, prepareStep } from './prepare-steps.js';
import { datasetKindSchema, datasetScaleSchema, gammaSchema, purposeSchema, unitSchema } from './terms.js';

const weightDecay = z.number().min(0).default(0);
const moments = {
  learningRate: positive.default(1e-3),
  beta1: z.number().min(0).max(0.9999).default(0.9),
  beta2: z.number().min(0).max(0.99999).default(0.999),
  epsilon: positive.default(1e-7),
};

/** Weight decay is added to the gradient (L2), but for `adamw`, which shrinks the weights beside the step. */
const optimizer = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('adam'), ...moments, weightDecay }),
  z.strictObject({ name: z.literal('adamw'), ...moments, weightDecay: z.number().min(0).default(0.01) }),
  z.strictObject({
    name: z.literal('sgd'),
    learningRate: positive,
    momentum: z.number().min(0).max(0.9999).optional(),
    weightDecay,
  }),
  z.strictObject({
    name: z.literal('rmsprop'),
    learningRate: positive.default(1e-3),
    rho: z.number().min(0).max(0.9999).default(0.9),
    epsilon: positive.default(1e-7),
    weightDecay,
  }),
  z.strictObject({
    name: z.literal('adagrad'),
    learningRate: positive.default(1e-2),
    epsilon: positive.default(1e-7),
    weightDecay,
  }),
]);

const training = z.strictObject({
  strategy: z.enum(['fed-avg', 'fed-sgd']).default('fed-avg'),
  rounds: count(10_000),
  localEpochs: count(100).default(1),
  batchSize: count(65_536).default(32),
  optimizer,
  /** of the learning rate; absent = constant */
  schedule: scheduleSchema.optional(),
  /** global gradient norm of one local step; absent = not clipped */
  gradientClip: positive.optional(),
});

/** What the result is printed beside, fitted by secure sums on the prepared training units of each arm. */
const baseline = z.discriminatedUnion('name', [
  /** regression on indicators of the classes, exactly, in two sums: Σ e² + lambda·‖w‖² */
  z.strictObject({ name: z.literal('ridge'), lambda: positive.default(100) }),
  /** multinomial, ½‖w‖² + c·Σ cross-entropy, in `rounds` sums of gradients an arm */
  z.strictObject({ name: z.literal('logistic'), c: positive.default(0.01), rounds: count(500).default(60) }),
  /** of a task of several heads: each as a linear model, ½‖w‖² + c·Σ loss (classes: logistic; numbers: ridge; survival: Cox) */
  z.strictObject({ name: z.literal('linear'), c: positive.default(0.01), rounds: count(500).default(60) }),
  /** softmax with mean cross-entropy + lambda·(share·‖w‖₁ + (1 − share)/2·‖w‖²), by FISTA, in `rounds` sums of gradients */
  z.strictObject({
    name: z.literal('elastic-net'),
    lambda: positive.default(0.1),
    share: z.number().min(0).max(1).default(0.5),
    rounds: count(500).default(100),
  }),
  /** the logistic regression on principal components, which `iterations` sums find before */
  z.strictObject({
    name: z.literal('pca-logistic'),
    components: count(100).default(10),
    iterations: count(100).default(10),
    c: positive.default(0.01),
    rounds: count(500).default(30),
  }),
  /** the same logistic regression at each site alone, tested on its own held-out units; public runs only */
  z.strictObject({ name: z.literal('lone-sites'), c: positive.default(0.01) }),
]);

const evaluation = z.strictObject({
  /**
   * `leave-site-out`: one arm a site, held out; `holdout`: fold 0 of det5 is held out inside each site;
   * `det5`: five fold arms; `chronological`: the last `horizon` steps of a series; `none`: nothing is held out or scored;
   * `nested`: fold 0 is held out and never scored, validation rounds score the next one: for a search before a `holdout`.
   */
  split: z.enum(['leave-site-out', 'holdout', 'nested', 'det5', 'chronological', 'none']),
  horizon: count(1000).default(4),
  /** also train one arm with everybody: the model that is released */
  finalModel: z.boolean().default(true),
  /**
   * `per-arm`: fitted on the training units of each arm; `once`: steps blind to labels that choose no genes are fitted
   * on the units of all arms (the report says transductive); absent = `per-arm`
   */
  preparation: z.enum(['per-arm', 'once']).optional(),
  /**
   * summed beside confusion matrix or squared error: `roc` (and precision–recall, each class against the others) and
   * `calibration` of a classification, `errors` (mean absolute error, R²) of other tasks; absent = none
   */
  metrics: z
    .array(z.enum(['roc', 'calibration', 'errors']))
    .min(1)
    .refine((list) => new Set(list).size === list.length, 'metrics are unique')
    .optional(),
  /** of a classification, and `linear` of several heads; majority class, and last value, zero and AR(3) of a forecast, need no word; absent = none */
  baselines: z
    .array(baseline)
    .min(1)
    .refine((list) => new Set(list.map((b) => b.name)).size === list.length, 'baselines are unique')
    .optional(),
  /**
   * after so many training rounds of an arm, and after its last, its model is scored by a secure sum over validation
   * units: a fold of each site that neither trains nor tests the arm; absent = never
   */
  every: count(10_000).optional(),
  /** ends the training of an arm, and gives it the weights of the best validation round; absent = every round */
  earlyStopping: stoppingRuleSchema.optional(),
  /** validation gate: how far the loss of an arm may rise above its lowest before the run ends; absent = any */
  maxWorsening: z.number().min(0).optional(),
});

const secureAggregation = z.strictObject({
  /** Q = 2^quantizationBits; absent = the largest that cannot wrap */
  quantizationBits: z.int().min(8).max(30).optional(),
  /** bound C of the L2 norm of a weighted update */
  clipNorm: positive.default(100),
  clip: z.enum(['fault', 'allow']).default('fault'),
  /** largest number of training units of a site; weights are n / weightCap */
  weightCap: count(100_000_000).default(1000),
  /** fraction bits of the statistics ring */
  fractionBits: z.int().min(10).max(40).default(32),
  nMin: z.int().min(3).max(255).default(5),
  gamma: gammaSchema.default({ num: 1, den: 3 }),
  /** training rounds sum groups of at least so many sites each, not all sites at once; absent = off */
  subCohort: z.int().min(4).max(127).optional(),
  /** how the sums of the groups become one update; absent = mean, of all sites as without groups */
  combine: z.enum(['mean', 'median', 'trimmed-mean']).optional(),
  /** values that a trimmed-mean leaves out at either end of each coordinate; absent = 1 */
  trim: z.int().min(1).max(31).optional(),
  /**
   * a tile (64 KiB) of the sum of a training round stands out above so many times its median energy in the earlier rounds of
   * its arm: no model is made of the sum. Of groups that are compared: of the other groups, which ends nothing. Absent = no test
   */
  tileFactor: z.number().gt(1).max(1e6).optional(),
  /** integer noise that the sites add to training updates in the ring, standard deviation z·Q of the sum; absent = none */
  noise: z
    .strictObject({ mechanism: z.enum(['discrete-gaussian', 'skellam']), z: positive.max(10_000) })
    .optional(),
});

/** Differential privacy of each patient, by noise inside each hospital. @see docs/privacy.md */
const privacy = z.strictObject({
  unit: z.literal('patient'),
  adjacency: z.literal('add-or-remove-one'),
  /** z: standard deviation of the noise of a step, in clip norms */
  noiseMultiplier: positive.max(10_000),
  /** q: probability of a patient to be in a step; 1 = everybody in every step */
  samplingRate: positive.max(1).default(1),
  /** steps of a training round at each site */
  localSteps: count(100_000),
  /** bound of the gradient of a patient, over all weights and records together */
  clipNorm: positive.max(1e6),
  /** most records of a patient that train, chosen by each site once a run */
  recordsPerPatient: count(1000).default(1),
  /** at which ε is shown; below 1 / (patients of a site) */
  delta: positive.max(0.1),
  /** hospitals that may hold the same patient: ε is shown for so many */
  hospitalsPerPatient: count(255).default(1),
});

const deadlines = z.strictObject({
  roundDeadlineSeconds: count(7 * 86_400).default(3600),
  idleLimitSeconds: count(30 * 86_400).default(3600),
  /** raises the smallest releasable cohort, never lowers it */
  minSurvivors: z.int().min(3).max(255).optional(),
});

/** What a researcher declares. A plan is data: unknown keys are refused. */
export const planSchema = z.strictObject({
  schema: z.literal('regulon.plan/1'),
  name,
  title: signedText(200).default(''),
  purpose: purposeSchema.default('research'),
  /** funding, permit or ethics approval under which the work is done: stewards read it */
  reference: signedText(200).min(1).optional(),
  /** what the data are used for and what the plan undertakes, in codes of the Data Use Ontology; absent = nothing declared */
  dataUse: dataUseSchema.optional(),
  /** drives initial weights only (rounding, shuffling and keys have their own secrets) */
  seed: z.int().min(0).max(0xffffffff),
  /** the sites by name: their number is N, and each steward approves this list */
  sites: z
    .array(name)
    .min(3)
    .max(255)
    .refine((s) => new Set(s).size === s.length, 'site names are unique'),
  dataset: z.strictObject({
    name,
    kind: datasetKindSchema,
    scale: datasetScaleSchema,
    unit: unitSchema,
    /** series: the experiments, `columnsPrefix` at each site, that are measured of every unit, side by side */
    channels: z
      .array(name)
      .min(2)
      .max(64)
      .refine((list) => new Set(list).size === list.length, 'channels are unique')
      .optional(),
    /** column of the label table that names the patient, where one may have several units: folds keep them together */
    patientColumn: signedText(200).min(1).optional(),
  }),
  task: z.enum(['classify', 'reconstruct', 'forecast', 'heads']),
  label: z.strictObject({ classes: z.array(labelClassSchema).min(2).max(64) }).optional(),
  /** of a task of several heads, one a head */
  targets: z.array(targetSchema).min(1).max(16).optional(),
  design: design.optional(),
  prepare: z.array(prepareStep).max(16).default([]),
  model: modelDeclarationSchema,
  training,
  evaluation,
  secureAggregation: secureAggregation.prefault({}),
  /** absent: nothing of the run is differentially private by patient */
  privacy: privacy.optional(),
  deadlines: deadlines.prefault({}),
});

/** A plan that was checked, defaults filled in. */
export type Plan = z.infer<typeof planSchema>;
/** One step of the preparation. */
export type PrepareStep = Plan['prepare'][number];
/** Patient-level differential privacy of a plan. */
export type PlanPrivacy = NonNullable<Plan['privacy']>;
/** Batches and covariates of a plan. */
export type Design = NonNullable<Plan['design']>;
