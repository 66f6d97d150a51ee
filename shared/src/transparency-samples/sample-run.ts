import { canonicalJsonBytes } from '../crypto/index.js';
import { type BodyOf, MediaType } from '../transparency/index.js';
import { pruneLog } from './sample-baseline.js';
import { SampleLog } from './sample-log.js';
import {
  sample,
  SAMPLE_USE,
  sampleCommitment,
  type SampleOptions,
  samplePlan,
  samplePolicy,
} from './sample-options.js';
import { PRIVATE_ROUNDS, SAMPLE_DELTA, statedPrivacy } from './sample-privacy.js';
import type { RoundFields } from './sample-cohort.js';
import { SampleRound } from './sample-round.js';

const { code, dataset, run } = sample;
const coordinator = ['coordinator', 'coordinator'] as const;

/**
 * A whole run in a log, of five sites unless the options say more: statistics with one lost upload (not in a private run), an aborted attempt, two
 * training rounds.
 *
 * Every signature is real; the rounds were run by the client and server machines.
 */
export function sampleRun(options: SampleOptions = {}): SampleLog {
  const log = new SampleLog(options);
  const names = log.federation.roster.members.map(({ name }) => name);
  prepare(log, names, options);
  const start = startRun(log, names, options);
  const { words } = options;
  let trained = 0;
  const round = (fields: Partial<RoundFields>, previous?: SampleRound): SampleRound => {
    const usual = { number: 0, attempt: 0, purpose: 0, stepId: 'train', losses: {} } as const;
    const isSent = fields.purpose === undefined && words !== undefined;
    const word = isSent ? { word: words[Math.min(trained, words.length - 1)] ?? 0 } : {};
    // the first attempt of the first round is given up
    if (isSent && (fields.attempt === 1 || trained > 0)) trained += 1;
    return new SampleRound(log, { ...usual, ...fields, ...word }, previous, start);
  };
  const statistics = options.privacy
    ? undefined
    : round({ purpose: 1, stepId: 'counts', losses: { r2: [5] } }).close();
  const from = statistics ? 1 : 0;
  const { reopened = false } = options;
  const aborted = round({ number: from }, statistics);
  if (reopened === false) aborted.abort();
  else aborted.burn().reopen(reopened === true ? names.map((_, i) => i + 1) : reopened);
  const { lost, lax } = options;
  const losses = lax?.losses ?? (lost === undefined ? {} : { r2: [lost] });
  const counted = lax ? { members: lax.members } : {};
  const first = round({ number: from, attempt: 1, losses, ...counted }, aborted).close();
  const { model, rounds } = options.validated
    ? validatedTraining(options.validated, first, round)
    : plainTraining(options, first, (previous, number) => round({ number, losses: { r4: [2] } }, previous));
  const models = [{ arm: 0, model, featureSpecification: statistics?.modelOut ?? null }];
  const body: BodyOf<'run.finish'> = {
    ...{ status: 'COMPLETED', reason: null, finalModel: model, rounds },
    models: options.attachModels ? log.attach(canonicalJsonBytes(models), MediaType.json) : models,
    coverage: { sites: names.length, band: '500+' },
  };
  log.write(coordinator, 'run.finish', { run }, body);
  return log;
}

/** Training rounds after the first, closed one. @returns the last model, and rounds of the run */
function plainTraining(
  { trainingRounds = 2 }: SampleOptions,
  first: SampleRound,
  round: (previous: SampleRound, number: number) => SampleRound,
): { model: string; rounds: number } {
  let [last, next] = [first, first.number + 1];
  for (let k = 1; k < trainingRounds; k++) last = round(last, next++).close();
  return { model: last.modelOut, rounds: next };
}

/** Training rounds, each with its validation. @param first the first of them, closed @returns the model of least loss */
function validatedTraining(
  losses: readonly string[],
  first: SampleRound,
  round: (fields: Partial<RoundFields>, previous: SampleRound) => SampleRound,
): { model: string; rounds: number } {
  let [last, number, best] = [first, 1, { loss: Infinity, model: '' }];
  losses.forEach((loss, i) => {
    if (i > 0) last = round({ number: ++number }, last).close();
    const trained = last.modelOut;
    last = round({ number: ++number, purpose: 2, stepId: 'validate', figures: { loss } }, last).close();
    if (Number(loss) < best.loss) best = { loss: Number(loss), model: trained };
  });
  return { model: best.model, rounds: number + 1 };
}

function prepare(log: SampleLog, names: readonly string[], options: SampleOptions): void {
  const { publicData = true, closedAgain, privacy } = options;
  const cap = privacy?.cap ?? null;
  names.forEach((name, i) => {
    const { attachment, body: usual } = log.federation.policyBody(name);
    const policy = { ...usual, epsilonCap: cap, delta: cap === null ? null : SAMPLE_DELTA };
    log.attach(attachment, MediaType.json);
    log.write(['steward', name], 'policy.set', {}, policy);
    const body: BodyOf<'dataset.commit'> = {
      ...{
        dataset,
        version: 1,
        commitment: sampleCommitment(name),
        schema: code,
        panel: { digest: code, size: 700 },
      },
      ...{ band: '100-199', unit: 'patient', qualityReport: null, dataUse: [...SAMPLE_USE] },
      ...{ public: false, simulated: publicData },
    };
    log.write(['site', name], 'dataset.commit', {}, body, [log.federation.signer('steward', name)]);
    if (closedAgain === i + 1) log.write(['site', name], 'dataset.commit', {}, { ...body, simulated: false });
  });
}

/** @returns index of run.start */
function startRun(log: SampleLog, names: readonly string[], options: SampleOptions): number {
  const sites = names.map((_, i) => i + 1);
  const proposal = log.write(['researcher', 'r1'], 'plan.propose', {}, proposalOf(log, sites, options));
  const approvals = names.map((name, i) => {
    const body: BodyOf<'plan.approve'> = {
      ...{
        planHash: log.planHash,
        policy: samplePolicy(name),
        dataset,
        datasetVersion: 1,
        commitment: sampleCommitment(name),
      },
      ...{ conditions: [], validUntil: '2027-01-01T00:00:00.000Z' },
    };
    const seconds = options.seconded?.includes(i + 1) ? [log.federation.administrator(i + 1)] : [];
    return log.write(['steward', name], 'plan.approve', {}, body, seconds);
  });
  if (options.pruned) pruneLog(log, options.pruned);
  const body: BodyOf<'run.start'> = {
    ...{
      planHash: log.planHash,
      proposal,
      approvals: approvals.filter((index) => index >= 0),
      sites,
      initialModel: null,
      featureSpecification: null,
    },
    public: options.claimPublic ?? options.publicData ?? true,
  };
  return log.write(coordinator, 'run.start', { run }, body);
}

function proposalOf(log: SampleLog, sites: number[], options: SampleOptions): BodyOf<'plan.propose'> {
  const provenance =
    options.builtCode === undefined
      ? null
      : {
          builder: 'https://builder.example/one',
          subject: options.builtCode,
          statement: samplePolicy('site-1'),
        };
  return {
    ...{ name: 'sample', plan: log.attach(samplePlan(options), MediaType.json), planHash: log.planHash },
    purpose: 'research',
    ...{ code, provenance, architecture: code, initialModel: null },
    privacy: options.privacy ? statedPrivacy(options.privacy) : null,
    secureAggregation: {
      gamma: { num: 1, den: 3 },
      nMin: 5,
      quantization: 2 ** 20,
      weightCap: 1024,
      fractionBits: 24,
    },
    ...{
      sites,
      rounds: options.privacy ? PRIVATE_ROUNDS : 1 + (options.trainingRounds ?? 2),
      requireAll: false,
    },
  };
}
