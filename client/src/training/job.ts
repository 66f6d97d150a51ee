import type { HeadShape, ScoreShape } from '@regulon/shared/genomics';
import type { ModelDeclaration } from '@regulon/shared/models';
import type { Schedule } from '@regulon/shared/plan';
import type { HeadTraining } from '@regulon/shared/program';
import type { HeadEvaluation } from './head-scores.js';

/** Prepared data of one arm at one site, as files that only this machine reads. */
export interface ArmData {
  /** float32 little-endian, row-major */
  readonly featuresPath: string;
  /** [n, …shape of one unit]; for series [n, steps] */
  readonly shape: readonly number[];
  /**
   * int32 class per unit (classify), float32 targets [n, outputs] (reconstruct; absent = the features), or float32
   * [n, targets of all heads] (heads; NaN, or a negative class, is missing)
   */
  readonly targetsPath?: string;
  /** series: float32 [n, steps], 1 where a value was observed, 0 where it is missing */
  readonly maskPath?: string;
  /** int32 number of the patient of each unit; absent: each unit is a patient */
  readonly patientsPath?: string;
  /** how many patients those are */
  readonly patients?: number;
  /** edges between the features by their numbers, as `readGeneGraph` reads them: what `graph: co-expression` means */
  readonly coExpressionPath?: string;
  /** text file, one name a line: what model files call the features; absent: 0, 1, … */
  readonly featureNamesPath?: string;
  readonly n: number;
}

interface OptimizerRates {
  readonly learningRate: number;
  /** of kernels; biases do not decay. Added to the gradient (L2); `adamw` shrinks the weights instead */
  readonly weightDecay?: number;
}

interface Moments extends OptimizerRates {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

export type OptimizerOptions =
  | ({ readonly name: 'adam' } & Moments)
  | ({ readonly name: 'adamw' } & Moments)
  | ({ readonly name: 'sgd'; readonly momentum?: number | undefined } & OptimizerRates)
  | ({ readonly name: 'rmsprop'; readonly rho?: number; readonly epsilon?: number } & OptimizerRates)
  | ({ readonly name: 'adagrad'; readonly epsilon?: number } & OptimizerRates);

/** A model and data of this machine: what every job has. */
export interface ModelJob {
  readonly declaration: ModelDeclaration;
  /** shape of one unit as the model declares it; for series the steps come from the data */
  readonly inputShape: readonly number[];
  readonly outputs: number;
  /** `heads`: every head of the declaration brings its loss and its columns of the targets */
  readonly task: 'classify' | 'reconstruct' | 'forecast' | 'heads';
  readonly data: ArmData;
  /** float32 little-endian weights in manifest order, those that never leave the site not among them */
  readonly weightsPath: string;
  /** weights that never leave the site, float32 little-endian in manifest order; for models that have any */
  readonly localWeightsPath?: string;
  /** name of this site, for blocks that only some sites own */
  readonly site?: string;
  /** files that the model is made with, by their digest `sha256:…` */
  readonly modelFiles?: Readonly<Record<string, string>>;
  /** last steps of a series that training never sees; 4 if absent */
  readonly horizon?: number;
  /** give up after this many seconds; not limited if absent */
  readonly timeoutSeconds?: number;
}

/** A plan's schedule, and the part of it that this job goes through. */
export interface JobSchedule {
  readonly shape: Schedule;
  /** training rounds of the arm before this job */
  readonly from: number;
  /** training rounds that this job stands for: 1, or more where one place trains alone */
  readonly span: number;
  /** training rounds of the plan */
  readonly rounds: number;
}

/** Patient-level DP-SGD inside this site. @see docs/privacy.md */
export interface PrivateTraining {
  /** steps of this job; `epochs` is not read then, and `batchSize` is the most records at once */
  readonly steps: number;
  /** q: probability of a patient to be in a step, in (0, 1] */
  readonly samplingRate: number;
  /** z: standard deviation of the noise, in clip norms; above 0 */
  readonly noiseMultiplier: number;
  /** bound of the gradient of a patient, over all weights together; above 0 */
  readonly clipNorm: number;
  /** N̂: what stands for the number of patients, itself noised; at least 1 */
  readonly patients: number;
  /** most records of a patient that train */
  readonly recordsPerPatient: number;
  /** hexadecimal secret of the run: which ones they are */
  readonly recordKey: string;
}

export interface TrainJob extends ModelJob {
  /** where the update (local − global, float32 little-endian, manifest order) is written, all or nothing */
  readonly deltaPath: string;
  /** update of an earlier round that nobody reads any more: it may be written over, which is faster than a new file */
  readonly sparePath?: string;
  /** where the weights that never leave the site are written after training, all or nothing */
  readonly nextLocalWeightsPath?: string;
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerOptions;
  /** of the learning rate; constant if absent */
  readonly schedule?: JobSchedule;
  /** bound of the global gradient norm of one step */
  readonly gradientClip?: number;
  /** the update is differentially private by patient; then no sum of losses is returned */
  readonly privacy?: PrivateTraining;
  /** `fed-sgd`: one step over all units, update = −learning rate · mean gradient */
  readonly strategy: 'fed-avg' | 'fed-sgd';
  /** the site's own secret, hexadecimal: order of the units and dropout follow from it, round and step */
  readonly shuffleKey: string;
  readonly round: number;
}

/** Steps of a training job for their time alone. */
export interface MeasureJob extends TrainJob {
  /** steps that are timed; 20 if absent */
  readonly steps?: number;
}

export interface EvaluateJob extends ModelJob {
  /** sums for curves, calibration or errors; absent: none */
  readonly scores?: ScoreShape;
  /** what is summed of each head of a task of several, in their order */
  readonly heads?: readonly HeadShape[];
  /** where the loss of each unit is written, float32 little-endian; it stays at the site. Absent: nowhere */
  readonly lossesPath?: string;
}

export interface PredictJob extends ModelJob {
  /** where the predictions are written, all or nothing: float32 little-endian, a row for each unit */
  readonly predictionsPath: string;
}

/** How a model's output is shared out among the numbers of a unit. */
export type AttributionMethod =
  | { readonly name: 'saliency' | 'gradient-input' | 'occlusion' | 'grad-cam' }
  | {
      readonly name: 'integrated-gradients';
      /** points of the path; 32 */
      readonly nodes?: number;
      /** `midpoint` for models with kinks; `gauss-legendre` if absent */
      readonly rule?: 'gauss-legendre' | 'midpoint';
    }
  | {
      readonly name: 'expected-gradients';
      /** units of the data that are baselines, spread evenly over them */
      readonly background: number;
      /** points of each path; 8 */
      readonly nodes?: number;
    }
  /** stabiliser of the ε-rule; 1e-6 */
  | { readonly name: 'relevance'; readonly epsilon?: number };

export interface AttributeJob extends ModelJob {
  readonly method: AttributionMethod;
  /** output of each unit's own class, of the class that the model gives it, or at one position */
  readonly explain: 'class' | 'prediction' | number;
  /** float32 [one unit], the federated mean profile; zeros, the mean of z-scored features, if absent */
  readonly baselinePath?: string;
  /** where sums are written: float32 [groups, 3, one unit] of Σ|a|, Σa, Σa²; groups are classes, or one */
  readonly summaryPath?: string;
  /** where attributions unit by unit are written, float32 [n, one unit]: a file that MUST stay at the site */
  readonly mapsPath?: string;
}

export interface TrainResult {
  /** units that trained */
  readonly count: number;
  /** last epoch: sum of the units' losses (classify) or of squared errors (other tasks) */
  readonly lossSum: number;
  /** last epoch: numbers that `lossSum` sums over (units, or target values) */
  readonly targetCount: number;
  /** last epoch: units whose class was right while training (classify) */
  readonly correct: number;
  /** last epoch, several heads: what each sums, `correct` for classes */
  readonly heads?: readonly HeadTraining[];
  readonly steps: number;
  readonly seconds: number;
  /** mean time of a step, without reading and writing */
  readonly stepMilliseconds: number;
  readonly deltaSha256: string;
  readonly deltaNormSquared: number;
  readonly backend: string;
}

export interface EvaluateResult {
  readonly count: number;
  /** sum of the units' losses (classify) or of squared errors */
  readonly lossSum: number;
  /** classify: K × K, row = true class */
  readonly confusion?: readonly number[];
  /** other tasks: sum of squared errors and how many targets it covers */
  readonly squaredError?: number;
  readonly targetCount?: number;
  /** several heads: what each sums over all units */
  readonly heads?: readonly HeadEvaluation[];
  /** what `scoreSums` gives for `scores` of the job */
  readonly scores?: readonly number[];
  readonly seconds: number;
}

export interface PredictResult {
  readonly count: number;
  /** numbers of one unit's row in the file */
  readonly width: number;
  readonly predictionsSha256: string;
  readonly seconds: number;
}

export interface AttributeResult {
  readonly count: number;
  /** units of each group in the sums, 0 for a class with fewer than 10; absent without a summary */
  readonly units?: readonly number[];
  /** with `mapsPath`: which output was explained of each unit; it MUST stay at the site too */
  readonly explained?: readonly number[];
  /** Σ |what attributions miss| / Σ |what they explain|, for methods that add up to something */
  readonly gap?: number;
  readonly seconds: number;
}

/** How fast a backend trains a model; nothing is written. */
export interface MeasureResult {
  /** median over `steps` */
  readonly stepMilliseconds: number;
  /** mean of each layer, there and back, by name; absent where operations run beside this thread */
  readonly layers?: Readonly<Record<string, number>>;
  readonly steps: number;
}

/** Progress of a job: sums only. */
export interface Beat {
  readonly step: number;
  readonly steps: number;
  readonly lossSum: number;
  readonly count: number;
  /** resident memory of the trainer, bytes */
  readonly residentBytes: number;
}
