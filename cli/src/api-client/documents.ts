import { z } from 'zod';
import type {
  ActorHead,
  EntriesReply,
  LogHead,
  ModelSpecification,
  ProposeReply,
  PruneReply,
  ReopenReply,
  RunDocument,
  RunList,
  RunSummary,
} from '@regulon/coordinator/runs';
import { reopenDocument } from '@regulon/shared/transparency';

/**
 * What the coordinator answers, as far as this client relies on it; members that a newer coordinator adds pass through.
 *
 * Each schema is checked against the coordinator's own type at compile time.
 */

const open = z.looseObject;
const text = z.string();
const number = z.number();
const numberOrNull = number.nullable();
/** ms since the epoch, as `Date` can hold it: it is shown to people. */
export const timeSchema = number.min(-8.64e15).max(8.64e15);
const timeOrNull = timeSchema.nullable();
const numberMaybe = number.exactOptional();
const statusText = z.enum([
  ...(['QUEUED', 'WAITING', 'RUNNING', 'PAUSED'] as const),
  ...(['COMPLETED', 'COMPLETED_PARTIAL', 'ABORTED', 'FAILED'] as const),
]);
/** Only names of this form are put into paths. */
const runName = text.regex(/^run_[0-9a-f]{32}$/);
const digest = text.regex(/^sha256:[0-9a-f]{64}$/);

/** Why a run ended without its result; null while there is no reason. */
export const reasonSchema = open({ code: text, message: text }).nullable();

const runSummary = open({
  run: runName,
  name: text,
  status: statusText,
  since: timeSchema,
  created: timeSchema,
  sites: number,
  rounds: open({ closed: number, of: number }),
  reason: reasonSchema,
}) satisfies z.ZodType<RunSummary>;

/** `GET /api/v1/runs` */
export const runList = open({ runs: z.array(runSummary) }) satisfies z.ZodType<RunList>;

/** A closed round. */
export const roundFacts = open({
  round: number,
  attempt: number,
  purpose: z.enum(['train', 'statistics', 'evaluation']),
  step: text,
  arm: number,
  iteration: number,
  seconds: number,
  survivors: z.array(number),
  loss: numberOrNull,
  accuracy: numberOrNull,
  units: numberOrNull,
  finding: open({
    step: text,
    level: z.enum(['alarm', 'notice', 'quiet']),
    text,
    values: z.record(text, number),
  }).exactOptional(),
  bytesUpPerSite: number,
  bytesDownPerSite: number,
  stageSeconds: z.record(text, number),
});

const interval = z.tuple([number, number]).nullable();
const bounded = open({ value: number, bound: number }).nullable();
const places = z.array(z.tuple([number, number]));

const classCurves = open({
  rocArea: bounded,
  rocInterval: interval,
  averagePrecision: bounded,
  roc: places,
  precisionRecall: places,
});

const regression = open({ mae: number, maeInterval: interval, mse: number, r2: numberOrNull }).nullable();

const scores = open({
  classes: z.array(classCurves.nullable()).exactOptional(),
  calibration: open({
    ece: number,
    brier: number,
    bins: z.array(open({ units: numberOrNull, confidence: numberOrNull, accuracy: numberOrNull })),
  })
    .nullable()
    .exactOptional(),
  errors: regression.exactOptional(),
});

const classMetrics = open({
  accuracy: number,
  accuracyInterval: interval,
  balancedAccuracy: numberOrNull,
  macroF1: numberOrNull,
  matthewsCorrelation: numberOrNull,
  recallPerClass: z.array(numberOrNull),
  precisionPerClass: z.array(numberOrNull),
  majority: number,
  confusion: z.array(number),
});

const headMetrics = open({
  head: text,
  count: number,
  loss: numberMaybe,
  classes: classMetrics.exactOptional(),
  numbers: z.array(regression).exactOptional(),
  survival: open({
    events: number,
    concordance: open({ withinSites: numberOrNull, overall: bounded }),
  }).exactOptional(),
});

const metrics = open({
  count: number,
  loss: numberMaybe,
  accuracy: numberMaybe,
  accuracyInterval: interval.exactOptional(),
  balancedAccuracy: numberOrNull.exactOptional(),
  macroF1: numberOrNull.exactOptional(),
  matthewsCorrelation: numberOrNull.exactOptional(),
  recallPerClass: z.array(numberOrNull).exactOptional(),
  precisionPerClass: z.array(numberOrNull).exactOptional(),
  majority: numberMaybe,
  confusion: z.array(number).exactOptional(),
  mse: numberMaybe,
  lastValueMse: numberMaybe,
  zeroMse: numberMaybe,
  ar3Mse: numberMaybe,
  heads: z.array(headMetrics).exactOptional(),
});

const siteInRun = open({
  id: number,
  name: text,
  connected: z.boolean(),
  since: timeOrNull,
  approved: z.boolean(),
  refused: z.enum(['rejected', 'withdrawn', 'data withdrawn']).nullable(),
  refusedAt: z.iso.datetime().nullable().default(null),
  dataset: open({ panel: text, size: number, isPublic: z.boolean() }).nullable(),
});

const now = open({
  round: number,
  attempt: number,
  purpose: text,
  step: text,
  arm: number,
  stage: text,
  since: timeOrNull,
  waitingFor: z.array(number),
});

const coverage = open({
  sites: number,
  rounds: number,
  closed: number,
  partial: z.array(open({ round: number, survivors: number, missing: z.array(number) })),
  text,
});

const curvePoint = open({
  round: number,
  arm: number,
  iteration: number,
  loss: number,
  accuracy: numberOrNull,
  survivors: number,
  heads: z.array(open({ head: text, loss: numberOrNull, accuracy: numberOrNull })).exactOptional(),
});

const validationPoint = open({
  ...{ round: number, arm: number, iteration: number },
  ...{ loss: number, accuracy: numberOrNull, units: number, survivors: number },
  heads: z.array(open({ head: text, loss: number, accuracy: z.null() })).exactOptional(),
});

/** `GET /api/v1/runs/:id` */
export const runDocument = open({
  schema: z.literal('regulon.run/1'),
  run: runName,
  name: text,
  title: text,
  status: statusText,
  since: timeSchema,
  created: timeSchema,
  started: timeOrNull,
  finished: timeOrNull,
  reason: reasonSchema,
  plan: z.unknown(),
  planHash: digest,
  isPublic: z.boolean().nullable(),
  sites: z.array(siteInRun),
  schedule: open({ rounds: number, arms: z.array(open({ arm: number, label: text })) }).nullable(),
  now: now.nullable(),
  rounds: z.array(roundFacts),
  coverage: coverage.nullable(),
  curve: z.array(curvePoint),
  validation: z.array(validationPoint),
  result: open({
    pooled: metrics,
    bySite: z.array(open({ site: text, metrics })).nullable(),
    scores: scores.exactOptional(),
    baselines: z.array(open({ name: text, metrics, note: text })).exactOptional(),
  }).nullable(),
  modelDigest: digest.nullable(),
  models: z.array(open({ arm: number, label: text, digest, parameters: number, trainingRound: numberMaybe })),
  log: open({ size: number, root: digest }),
  eventLoopMaxMs: number,
}) satisfies z.ZodType<RunDocument>;

/** `POST /api/v1/runs` */
export const proposeReply = open({ run: runName, index: number }) satisfies z.ZodType<ProposeReply>;

/** `GET /api/v1/runs/:id/reopen` */
export const reopenReply = open({
  document: reopenDocument,
  reason: open({ code: text, message: text }),
  administrators: z.array(open({ id: number, key: text.regex(/^[0-9a-f]{64}$/) })),
  needed: number,
}) satisfies z.ZodType<ReopenReply>;

/** `POST /api/v1/runs/:id/approvals` and `POST /api/v1/log/entries` */
export const entriesReply = open({ indexes: z.array(number) }) satisfies z.ZodType<EntriesReply>;

/** `POST /api/v1/log/prunings` */
export const pruneReply = open({
  index: number,
  size: number,
  removed: z.boolean(),
}) satisfies z.ZodType<PruneReply>;

const actorHead = open({
  seq: z.int().min(0),
  hash: text.regex(/^[0-9a-f]{64}$/),
  at: z.iso.datetime(),
}) satisfies z.ZodType<ActorHead>;

/** `GET /api/v1/log` */
export const logHead = open({
  size: number,
  root: digest,
  note: text,
  cosigned: numberOrNull,
}) satisfies z.ZodType<LogHead>;

/** `GET /api/v1/log/actors/:type/:id`; empty before the actor's first entry. */
export const actorHeadReply = z.union([actorHead, z.strictObject({}).transform(() => null)]);

/** `GET /api/v1/models/:digest/spec` */
export const modelSpecification = open({
  schema: z.literal('regulon.model/1'),
  digest,
  run: runName,
  arm: number,
  declaration: z.unknown(),
  plan: z.unknown(),
  dtype: z.literal('float32'),
  byteOrder: z.literal('little'),
  bytes: number,
  weights: z.array(open({ name: text, shape: z.array(number), offset: number, size: number })),
  featureSpecification: text.nullable(),
  panelDigest: text,
}) satisfies z.ZodType<ModelSpecification>;
