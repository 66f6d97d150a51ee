import { z } from 'zod';
import { datasetKindSchema, datasetScaleSchema, dataUseSchema, unitSchema } from '@regulon/shared/plan';

const path = z.string().min(1).max(4096);
const port = z.int().min(1).max(65_535);
const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens, at most 63');

const prefix = z.string().min(1).max(64);

const dataset = z
  .strictObject({
    /** the name under which the plan asks for it */
    name,
    kind: datasetKindSchema,
    scale: datasetScaleSchema,
    unit: unitSchema,
    /** the count or value matrix, TSV or CSV, or the sequences, FASTA; plain or gzip */
    counts: path,
    /** the table of labels, one row a unit */
    labels: path.optional(),
    /** where it cannot be seen from the labels; default: genes are rows */
    orientation: z.enum(['genes-by-units', 'units-by-genes']).optional(),
    /** columns of the matrix that are no data */
    ignoreColumns: z.array(z.string().min(1).max(200)).max(64).optional(),
    /** keep only the columns of a series whose name begins so; a list: the channels of each series */
    columnsPrefix: z.union([prefix, z.array(prefix).min(2).max(64).readonly()]).optional(),
    /** an imported dataset with several records a patient: one unit a patient, by their sum or mean */
    perPatient: z.enum(['sum', 'mean']).optional(),
    /** what the patients consented to, in codes of the Data Use Ontology; data that are not open need one that permits research */
    dataUse: dataUseSchema.optional(),
    /** published research data: the steward says so */
    public: z.boolean().default(false),
    /** generated data of no person */
    simulated: z.boolean().default(false),
  })
  .refine(({ kind, scale }) => (kind === 'sequences') === (scale === 'bases'), {
    path: ['scale'],
    message: 'bases are what sequences hold',
  });

const training = z.strictObject({
  /** `auto`: the fastest that passes its self-test; `cpu`: that without a GPU; or one of them, and no other */
  backend: z.enum(['auto', 'cpu', 'gpu', 'blas', 'wasm', 'native', 'webgpu']).default('auto'),
  /** when a GPU is lost in the middle of a run: leave the round, or go on with the CPU and say so in the record */
  fallback: z.enum(['none', 'cpu']).default('none'),
  threads: z.int().min(1).max(256).optional(),
  /** folder with an OpenBLAS installed for this site; default `accelerator` in the state folder */
  acceleratorFolder: path.optional(),
  memoryLimitMb: z.int().min(128).max(1_048_576).optional(),
});

/** Steps after which a daemon under test kills itself, each right after its persistence. */
export const crashSteps = [
  'r0-persisted',
  'r1-persisted',
  'trained',
  'y-written',
  'contribution-persisted',
  'committed',
  'r3-persisted',
  'answered',
  'outcome-persisted',
  'acked',
] as const;
export type CrashStep = (typeof crashSteps)[number];

const testing = z.strictObject({
  /** replaces the random rounding secret of every run: 32 bytes in hexadecimal */
  roundingSecret: z
    .string()
    .regex(/^[0-9a-f]{64}$/, '32 bytes in hexadecimal')
    .optional(),
  /** SIGKILL right after this step, once in the life of the state folder; `step` or `step#round` */
  crashAt: z
    .string()
    .regex(new RegExp(`^(${crashSteps.join('|')})(#\\d{1,9})?$`), 'a known step, with #round or without')
    .optional(),
  /** the local update is one tiny number and zeros: measures rounds without training */
  skipTraining: z.boolean().optional(),
});

/** The one configuration file of a daemon; unknown keys are refused, relative paths start at the file's folder. */
export const daemonConfigSchema = z
  .strictObject({
    schema: z.literal('regulon.daemon/1'),
    site: name,
    stateFolder: path,
    /** the federation folder: roster.json, genesis.json, quorum.policy */
    federation: path,
    /** digest of the roster that this site pins, in hexadecimal */
    rosterHash: z.string().regex(/^[0-9a-f]{64}$/, '32 bytes in hexadecimal'),
    coordinator: z.strictObject({
      host: z.string().min(1).max(253),
      controlPort: port,
      bulkPort: port.optional(),
    }),
    tls: z.strictObject({ cert: path, key: path, ca: path }),
    policyFile: path,
    dataset,
    training: training.prefault({}),
    /** secrets of an attempt that has not ended are wiped after so many days: nobody answers for it any more */
    secretMaxAgeDays: z.number().positive().max(365).default(7),
    /** number of a charge that a clock dated ahead: what is before that date is no clock set back */
    ledger: z.strictObject({ datedAhead: z.int().min(0).optional() }).prefault({}),
    logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    /** log lines go to this file instead of standard error */
    logFile: path.optional(),
    allowTesting: z.boolean().default(false),
    testing: testing.optional(),
  })
  .refine((c) => c.testing === undefined || c.allowTesting, {
    path: ['testing'],
    message: 'needs allowTesting: true',
  });

export type DaemonConfig = z.infer<typeof daemonConfigSchema>;
export type DatasetConfig = DaemonConfig['dataset'];
