import { utf8 } from '@regulon/shared/crypto';
import { parseEntry, siteCheckpointPath, Thinning } from '@regulon/shared/transparency';
import { SampleLog, sampleRun } from '@regulon/shared/transparency-samples';
import { listsRight, listsWrong } from './attached-lists.js';
import { type Case, caseOf, cosigned, level2, rewritten, run, withFiles } from './cases.js';
import { rewrites, tampered } from './changed-bundles.js';
import { goodMembers, withdrawnData, wrongMembers } from './changed-members.js';
import { cosignatures, witnessedRight } from './cosignatures.js';
import { receiptsRight, receiptsWrong } from './egress-receipts.js';
import { deletedRight, deletedWrong } from './deleted-uploads.js';
import { deedsRight, deedsWrong } from './deeds.js';
import { baselinesRight, baselinesWrong } from './log-baselines.js';
import { planted } from './planted.js';
import { prunedRight, prunedWrong } from './pruned-logs.js';
import { approvedWrong, signedWrong } from './misstated-runs.js';
import { claimed } from './private-runs.js';
import { goodModels, wrongModels } from './derived-models.js';
import { goodReleases, wrongReleases } from './released-models.js';
import { policiesRight, policiesWrong } from './policies.js';
import { provenancesRight, provenancesWrong } from './provenances.js';
import { rolesRight, rolesWrong } from './granted-roles.js';
import { statedRight, statedWrong } from './self-evidence.js';
import { textsRight, textsWrong } from './written-texts.js';
import { unreadRight, unreadWrong } from './unread-parts.js';

const everySize = (log: SampleLog): number[] => log.entries.map((_, index) => index + 1);
const addCheckpoint = (files: Map<string, Uint8Array>, log: SampleLog, size: number): void =>
  void files.set(siteCheckpointPath(size), utf8(log.cosigned(size)));

/** Logs as they should be. */
export const good: Readonly<Record<string, () => Case>> = {
  ...goodMembers,
  ...goodReleases,
  ...goodModels,
  ...statedRight,
  ...rolesRight,
  ...receiptsRight,
  ...deedsRight,
  ...deletedRight,
  ...baselinesRight,
  ...listsRight,
  ...prunedRight,
  ...policiesRight,
  ...provenancesRight,
  ...unreadRight,
  ...textsRight,
  ...witnessedRight,
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
  'a run in which one of six sites never came': run({
    sites: 6,
    lax: { members: 6, losses: { r0: [6] } },
  }),
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

/** Bundles that a verifier must refuse or find wrong. */
export const spoiled: Readonly<Record<string, () => Case>> = {
  ...tampered,
  ...planted,
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
  ...deletedWrong,
  ...baselinesWrong,
  ...listsWrong,
  ...prunedWrong,
  ...policiesWrong,
  ...provenancesWrong,
  ...unreadWrong,
  ...textsWrong,
};
