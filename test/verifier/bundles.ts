import { canonicalJsonBytes, sha256, utf8 } from '@regulon/shared/crypto';
import {
  attachmentOf,
  MediaType,
  parseEntry,
  signCheckpoint,
  siteCheckpointPath,
  Thinning,
} from '@regulon/shared/transparency';
import {
  SampleLog,
  type SampleOptions,
  samplePlanHash,
  sampleRun,
} from '@regulon/shared/transparency-samples';
import { listsRight, listsWrong } from './attached-lists.js';
import { type Case, caseOf, changed, forged, other, rewritten, run, withFiles } from './cases.js';
import { goodMembers, withdrawnData, wrongMembers } from './changed-members.js';
import { receiptsRight, receiptsWrong } from './egress-receipts.js';
import { deedsRight, deedsWrong } from './deeds.js';
import { baselinesRight, baselinesWrong } from './log-baselines.js';
import { prunedRight, prunedWrong } from './pruned-logs.js';
import { claimed } from './private-runs.js';
import { goodModels, wrongModels } from './derived-models.js';
import { goodReleases, wrongReleases } from './released-models.js';
import { policiesRight, policiesWrong } from './policies.js';
import { rolesRight, rolesWrong } from './granted-roles.js';
import { statedRight, statedWrong } from './self-evidence.js';

const flipped = (bytes: Uint8Array | undefined, at: number): Uint8Array => {
  const copy = Uint8Array.from(bytes ?? []);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};
const entryPath = 'tile/entries/000.p/68';
const indexOf = (log: SampleLog, kind: string): number =>
  log.entries.findIndex((bytes) => parseEntry(bytes).kind === kind);
const cosigned = { gateMode: 'cosigned' } as const;

const everySize = (log: SampleLog): number[] => log.entries.map((_, index) => index + 1);
const addCheckpoint = (files: Map<string, Uint8Array>, log: SampleLog, size: number): void =>
  void files.set(siteCheckpointPath(size), utf8(log.cosigned(size)));

/** A run beside masked vectors that were kept. */
const level2 =
  (kept: (masked: Map<string, Uint8Array>) => ReadonlyMap<string, Uint8Array>, options: SampleOptions = {}) =>
  (): Case => {
    const log = sampleRun(options);
    return { ...caseOf(log), masked: kept(new Map(log.masked)) };
  };

/** Logs as they should be. */
export const good: Readonly<Record<string, () => Case>> = {
  ...goodMembers,
  ...goodReleases,
  ...goodModels,
  ...statedRight,
  ...rolesRight,
  ...receiptsRight,
  ...deedsRight,
  ...baselinesRight,
  ...listsRight,
  ...prunedRight,
  ...policiesRight,
  'a run': run({}),
  'a run under cosigned checkpoints': run(cosigned),
  'a run under checkpoints of every size': withFiles(
    (files, log) => everySize(log).forEach((size) => addCheckpoint(files, log, size)),
    cosigned,
  ),
  'a run under checkpoints of every size, thinned': withFiles((files, log) => {
    const entries = log.entries.map(parseEntry);
    const gates = new Set(
      entries.flatMap((entry) => (entry.kind === 'round.contribution' ? [entry.body.gate.size] : [])),
    );
    const times = entries.map((entry) => Date.parse(entry.at) / 1000);
    const thinning = new Thinning({ times, gates, changes: [], skewSeconds: 300 });
    const sizes = everySize(log).map((size) => thinning.take({ size, first: SampleLog.timeOf(size) }));
    const kept = [...sizes, thinning.end()].filter((size) => size !== undefined);
    // the first, the gates, the last
    if (kept.length !== gates.size + 2) throw new Error(`thinned to ${kept.join(', ')}`);
    for (const path of files.keys()) if (path.startsWith('site-checkpoints/')) files.delete(path);
    kept.forEach((size) => addCheckpoint(files, log, size));
  }, cosigned),
  'a run with a reopened round': run({ reopened: true }),
  'a run with a block that four of five sites own': run({ owners: [1, 2, 3, 4] }),
  'a run that loses an upload of no owner': run({ owners: [1, 2, 3, 4], lost: 5 }),
  'a run whose plan names the mean': run({ combination: { combine: 'mean' } }),
  'a run whose loss rises within its gate': run({ validated: ['0.5', '0.25', '0.75'], maxWorsening: '0.5' }),
  'a run that stops early': run({ validated: ['0.5', '0.25', '0.75'] }),
  'a run that improves to its end': run({ validated: ['0.5', '0.25', '0.2', '0.1'] }),
  'a run that protects patients': run({ privacy: { cap: '3' } }),
  'a run that protects patients, sampled, with a burnt attempt': run({
    privacy: { cap: '3', samplingRate: '0.25' },
    reopened: true,
  }),
  'a run that protects patients of sites without budgets': run({ privacy: { cap: null } }),
  'a run whose rounds are summed again': level2((masked) => masked),
  'a run of whose rounds one was kept': level2(
    (masked) => new Map([...masked].filter(([key]) => key.startsWith('2-'))),
  ),
  'a run beside the checkpoint of a site': () => {
    const log = sampleRun();
    return { ...caseOf(log), siteCheckpoints: [log.note(20)] };
  },
  'a log of more than one tile': rewritten((log) => {
    const { body } = log.federation.policyBody('site-1');
    while (log.entries.length <= 256) log.write(['steward', 'site-1'], 'policy.set', {}, body);
  }),
};

/** Bytes of the bundle that somebody changed. */
const tampered: Record<string, () => Case> = {
  'a flipped byte of entry 0': withFiles((files) => files.set(entryPath, flipped(files.get(entryPath), 300))),
  'a flipped byte of a length': withFiles((files) => files.set(entryPath, flipped(files.get(entryPath), 0))),
  'a flipped byte of a later entry': withFiles((files) => {
    const bytes = files.get(entryPath);
    files.set(entryPath, flipped(bytes, Buffer.from(bytes ?? []).indexOf('"commitment"') + 1));
  }),
  'a flipped byte of a hash tile': withFiles((files) =>
    files.set('tile/0/000.p/68', flipped(files.get('tile/0/000.p/68'), 32 * 7)),
  ),
  'a missing hash tile': withFiles((files) => void files.delete('tile/0/000.p/68')),
  'a tile too many': withFiles((files) => files.set('tile/3/000.p/1', new Uint8Array(32))),
  'a changed key file': withFiles((files) =>
    files.set('keys/log.vkey', flipped(files.get('keys/log.vkey'), 0)),
  ),
  'a key file too many': withFiles((files) => files.set('keys/site-x.vkey', utf8('x'))),
  'a stray attachment': withFiles((files) => files.set(SampleLog.pathOf(utf8('stray')), utf8('stray'))),
  'a cut archive': () => {
    const { bundle, policy } = run({})();
    return { bundle: bundle.slice(0, -1), policy };
  },
  'a checkpoint of another key': withFiles((files, log) => {
    const { origin } = log.federation.genesis;
    const signer = { keyName: origin, seed: new Uint8Array(32).fill(3) };
    files.set('checkpoint', utf8(signCheckpoint({ origin, size: 68, root: log.rootAt(68) }, signer)));
  }),
  'a checkpoint with another root': withFiles((files, log) => {
    const { origin } = log.federation.genesis;
    const signer = { keyName: origin, seed: log.federation.logSeed };
    files.set('checkpoint', utf8(signCheckpoint({ origin, size: 68, root: sha256() }, signer)));
  }),
  'a lower policy': () => {
    const { bundle, policy } = run(cosigned)();
    return { bundle, policy: policy.replace('group sites 4', 'group sites 3') };
  },
  'a log that no site cosigned, under the policy of sites that do': () => ({
    ...run({})(),
    policy: run(cosigned)().policy,
  }),
  'cosigning sites under a policy without a quorum': () => ({ ...run(cosigned)(), policy: run({})().policy }),
};
for (const [what, at] of Object.entries({ first: 0, middle: 8, last: -1 })) {
  const pathOf = (files: Map<string, Uint8Array>): string =>
    [...files.keys()].filter((path) => path.startsWith('attachments/')).at(at) ?? '';
  tampered[`a changed attachment, the ${what}`] = withFiles((files) =>
    files.set(pathOf(files), flipped(files.get(pathOf(files)), 0)),
  );
  tampered[`a missing attachment, the ${what}`] = withFiles((files) => void files.delete(pathOf(files)));
}

/** Logs that the coordinator changed and signed again. */
const rewrites: Record<string, () => Case> = {
  'an edited entry of a site': rewritten((log) => {
    const at = indexOf(log, 'round.contribution');
    const entry = parseEntry(log.entries[at] ?? new Uint8Array(0));
    log.entries[at] = canonicalJsonBytes({ ...entry, body: { ...entry.body, band: '500+' } });
  }),
  'an entry left out': rewritten((log) => void log.entries.splice(4, 1)),
  'an entry twice': rewritten((log) => void log.entries.splice(30, 0, log.entries[4] ?? new Uint8Array(0))),
  'entries in another order': rewritten(
    (log) => void log.entries.splice(40, 0, ...log.entries.splice(22, 1)),
  ),
  'a genesis that fewer signed': rewritten((log) => {
    const entry = parseEntry(log.entries[0] ?? new Uint8Array(0));
    log.entries[0] = canonicalJsonBytes({ ...entry, sigs: entry.sigs.slice(0, 3) });
  }),
  'the checkpoint of a fork': () => {
    const fork = changed('policy.set', { retentionClass: 'other' }, 2);
    const log = sampleRun({
      spoil: (kind, body, seen) =>
        kind === 'policy.set' && seen === 2 ? { ...body, retentionClass: 'other' } : body,
    });
    return { ...run({})(), siteCheckpoints: [log.note(40)], policy: fork().policy };
  },
};

/** Entries that their signers made wrong. */
const signedWrong: Record<string, () => Case> = {
  'real data in gate mode signed': run({ publicData: false }),
  'another chain value': changed('round.open', { chain: other }, 2),
  'another gate': changed('round.contribution', { gate: { size: 5, root: other } }, 1, cosigned),
  'other survivors': changed('round.aggregate', { u3: [1, 2, 3, 4] }, 1),
  'a wrong h2': changed('round.aggregate', { h2: other }, 1),
  'a wrong sum': changed('round.aggregate', { aggregateRoot: other }, 1),
  'a wrong transcript': changed('round.aggregate', { transcript: other }, 1),
  'a forged close': changed('round.aggregate', { closeSignature: forged }, 1),
  'sites that are said to have dropped': changed(
    'round.aggregate',
    { dropped: [{ site: 2, stage: 'r2', code: 'E_UPLOAD' }] },
    1,
  ),
  'wrong thresholds': changed(
    'round.aggregate',
    { thresholds: { N: 5, M: 5, n: 5, c: 0, quorum: 3, t: 3, uMin: 3, h: 3 } },
    1,
  ),
  'a sum of no round': changed('round.aggregate', { context: other }, 1),
  'an unlisted contribution': changed('round.aggregate', { contributions: [] }, 1),
  'a masked input without contribution': run({
    omit: (kind, seen) => kind === 'round.contribution' && seen === 6,
  }),
  'a contribution for another input': changed(
    'round.contribution',
    { maskedInput: { length: 702, root: other } },
    6,
  ),
  'an answer that was not logged': run({ omit: (kind, seen) => kind === 'round.unmask' && seen === 5 }),
  'an answer for other survivors': changed('round.unmask', { survivors: [1, 2, 3, 4] }, 6),
  'both kinds of share': changed('round.unmask', { maskKey: [3] }, 6),
  'another answer than was given': changed('round.unmask', { answer: other }, 6),
  'an abort that does not recompute': changed('round.abort', { reason: 'E_FAULT' }),
  'a manifest for another step': changed('round.open', { stepId: 'moments' }, 1),
  'a manifest of another model': changed('round.open', { modelIn: other }, 1),
  'a forged manifest': changed('round.open', { manifestSignature: forged }, 1),
  'a cohort below the policy of a site': changed('policy.set', { minCohort: 6 }, 2),
  'a round answered twice': run({ reopened: true, omit: (kind) => kind === 'round.reopen' }),
  'a Reopen of another model': changed('round.reopen', { modelHash: other }, 0, { reopened: true }),
  'a Reopen of an attempt that was not opened': changed('round.reopen', { burnt: 7 }, 0, { reopened: true }),
  'a median of rounds without groups': run({ combination: { combine: 'median' } }),
  'a trimmed mean of rounds without groups': run({ combination: { combine: 'trimmed-mean', trim: '2' } }),
  'a block that three sites own': run({ owners: [1, 2, 3] }),
  'a block summed over three of its four owners': run({ owners: [1, 2, 3, 4], lost: 2 }),
  'training that goes on against its rule': run({ validated: ['0.5', '0.25', '0.25', '0.1'] }),
  'a model beyond the validation gate': run({ validated: ['0.5', '0.25', '0.75'], maxWorsening: '0.4' }),
  'training that ends before its rule': run({ validated: ['0.5', '0.25'] }),
  'figures that the result does not cover': changed('round.aggregate', { figures: { loss: '0.3' } }, 4, {
    validated: ['0.5', '0.25', '0.75'],
  }),
  'a list that is none': rewritten((log) => void log.attach(utf8('[null]'), MediaType.json), {
    spoil: (kind, body) =>
      kind === 'round.aggregate' ? { ...body, dropped: attachmentOf(utf8('[null]'), MediaType.json) } : body,
  }),
};

/** Runs that nobody approved as they ran, models that do not follow, and sums that are not those of the masked vectors. */
const approvedWrong: Record<string, () => Case> = {
  'a site without approval': run({
    spoil: (kind, body) =>
      kind === 'run.start' ? { ...body, approvals: (body['approvals'] as number[]).slice(1) } : body,
  }),
  'an approval of another plan': changed('plan.approve', { planHash: other }, 2),
  'an approval that had expired': changed('plan.approve', { validUntil: '2026-11-20T10:00:30.000Z' }, 2),
  'an approval under a policy that was not set': changed('plan.approve', { policy: other }, 1),
  'an approval of other data': changed('plan.approve', { commitment: other }, 1),
  'a policy that had expired': changed('policy.set', { validUntil: '2026-11-20T10:00:05.000Z' }, 1),
  'a start of a plan that was not proposed': changed('run.start', { proposal: 3 }),
  'a start of another plan': changed('run.start', { planHash: other }),
  'a start over fewer sites': changed('run.start', { sites: [1, 2, 3, 4] }),
  'a run without start': run({ omit: (kind) => kind === 'run.start' }),
  'a run that is called public': run({ publicData: false, claimPublic: true }),
  'a contribution under another policy': changed('round.contribution', { policy: other }, 4),
  'a run of other code': changed('round.contribution', { code: other }, 4),
  'a plan of another name': changed('plan.propose', { planHash: other }),
  'a plan that is not the attached one': rewritten((log) => void log.attach(utf8('{}'), MediaType.json), {
    spoil: (kind, body) =>
      kind === 'plan.propose' ? { ...body, plan: attachmentOf(utf8('{}'), MediaType.json) } : body,
  }),
  'a run over sites that the plan does not name': changed('plan.propose', { sites: [1, 2, 3, 4, 6] }),
  'a plan that a steward took back': run({
    before: (kind, seen) =>
      kind === 'round.open' && seen === 2
        ? { site: 'site-2', kind: 'plan.withdraw', body: { planHash: samplePlanHash(), reason: 'consent' } }
        : undefined,
  }),
  'a model that one site got otherwise': changed('round.contribution', { modelIn: other }, 6),
  'another feature specification at a site': changed(
    'round.contribution',
    { featureSpecification: other },
    6,
  ),
  'a site that derived another model': changed('round.ack', { modelOut: other }, 2),
  'a site that found a wrong tile': changed(
    'round.ack',
    { audited: { tiles: [0], count: 1, result: 'differ' } },
    2,
  ),
  'a final model from nowhere': changed('run.finish', { finalModel: other }),
  'rounds that did not close': changed('run.finish', { rounds: 9 }),
  'a model of an arm that the plan does not choose': changed(
    'run.finish',
    { models: [{ arm: 0, model: other, featureSpecification: null }] },
    0,
    { validated: ['0.5', '0.25', '0.75'] },
  ),
  'a round that states more sites': changed('round.aggregate', { coverage: { sites: 9, band: '<20' } }, 1),
  'a masked vector that was changed': level2((masked) =>
    masked.set('1-1/3', flipped(masked.get('1-1/3'), 700)),
  ),
  'a masked vector that is missing': level2((masked) => (masked.delete('2-0/1'), masked)),
  'a masked vector that was cut': level2((masked) => masked.set('2-0/1', new Uint8Array(4))),
  'a sum that is not that of the masked vectors': level2((masked) => masked, {
    spoil: (kind, body, seen) =>
      kind === 'round.aggregate' && seen === 1 ? { ...body, aggregateRoot: other } : body,
  }),
};

/** Checkpoints in gate mode cosigned. */
const cosignatures: Record<string, () => Case> = {
  'three of four cosignatures': withFiles(
    (files, log) => files.set('checkpoint', utf8(log.cosigned(undefined, ['site-1', 'site-2', 'site-3']))),
    cosigned,
  ),
  'no cosignature': withFiles((files, log) => files.set('checkpoint', utf8(log.note())), cosigned),
  'a forged line': withFiles(
    (files, log) =>
      files.set(
        'checkpoint',
        utf8(
          log
            .cosigned()
            .replace(/(site-5 \S{20})(\S)/, (_, head: string, c: string) => head + (c === 'A' ? 'B' : 'A')),
        ),
      ),
    cosigned,
  ),
  'no checkpoint for a gate': withFiles((files) => void files.delete(gatePath(files)), cosigned),
  'a gate that one site cosigned': withFiles(
    (files, log) => files.set(gatePath(files), utf8(log.cosigned(gateSize(files), ['site-1']))),
    cosigned,
  ),
  'a gate under another size': withFiles(
    (files, log) => files.set(gatePath(files), utf8(log.cosigned(gateSize(files) - 1))),
    cosigned,
  ),
  'a witness that goes back in time': withFiles(
    (files, log) =>
      files.set(gatePath(files), utf8(log.cosigned(gateSize(files), undefined, SampleLog.timeOf(69)))),
    cosigned,
  ),
  'one member with a time of the future': withFiles((files, log) => {
    const four = ['site-1', 'site-2', 'site-3', 'site-4'];
    const odd = log
      .cosigned(undefined, ['site-5'], SampleLog.timeOf(10 ** 6))
      .trimEnd()
      .split('\n')
      .at(-1);
    files.set('checkpoint', utf8(`${log.cosigned(undefined, four)}${odd}\n`));
    files.delete(gatePath(files));
  }, cosigned),
  'entries after their cosignature': withFiles(
    (files, log) =>
      files.set(
        gatePath(files),
        utf8(log.cosigned(gateSize(files), undefined, SampleLog.timeOf(gateSize(files)) - 700)),
      ),
    cosigned,
  ),
  'entries long before their cosignature': () => ({
    ...withFiles(
      (files, log) =>
        files.set('checkpoint', utf8(log.cosigned(undefined, undefined, SampleLog.timeOf(68) + 2 * 86_400))),
      cosigned,
    )(),
    asOf: new Date(Date.UTC(2026, 10, 23)),
  }),
  'an old head': () => ({ ...run(cosigned)(), asOf: new Date(Date.UTC(2026, 11, 1)) }),
  'a head of the future': () => ({ ...run(cosigned)(), asOf: new Date(Date.UTC(2026, 10, 20)) }),
};
const gatePath = (files: ReadonlyMap<string, Uint8Array>): string =>
  [...files.keys()].find((path) => path.startsWith('site-checkpoints/')) ?? 'none';
const gateSize = (files: ReadonlyMap<string, Uint8Array>): number => Number(/\d+/.exec(gatePath(files))?.[0]);

/** Bundles that a verifier must refuse or find wrong. */
export const spoiled: Readonly<Record<string, () => Case>> = {
  ...tampered,
  ...rewrites,
  ...signedWrong,
  ...approvedWrong,
  ...claimed,
  ...cosignatures,
  ...wrongMembers,
  ...withdrawnData,
  ...wrongReleases,
  ...wrongModels,
  ...statedWrong,
  ...rolesWrong,
  ...receiptsWrong,
  ...deedsWrong,
  ...baselinesWrong,
  ...listsWrong,
  ...prunedWrong,
  ...policiesWrong,
};
