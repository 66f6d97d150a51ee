import { equalBytes, type SignatureCheck, verifyEd25519 } from '../../crypto/index.js';
import { refusalOf, RegulonError } from '../../errors/index.js';
import { readBundle } from '../bundle/layout.js';
import type { KeyHistory } from '../entries/key-history.js';
import { verifyCheckpoint } from '../notes/checkpoint.js';
import { parseQuorumPolicy, type QuorumPolicy, quorumOf } from '../notes/quorum-policy.js';
import { formatVkey } from '../notes/vkey.js';
import { checkBaselines } from './baseline-rows.js';
import { checkApprovals } from './approval-rows.js';
import { checkCosignatures, type KeptState } from './cosignature-rows.js';
import { remarkEgress } from './egress-rows.js';
import { checkConfigurations } from './configuration-rows.js';
import { checkEvidence } from './evidence-rows.js';
import { checkFounding, type VerifyContext } from './context.js';
import { type EntryLabel, Findings } from './findings.js';
import { attachmentsIn, labelOf, openLog } from './log-entries.js';
import { type LogFiles, readLogFiles } from './log-files.js';
import { checkModels } from './model-rows.js';
import { checkCombination } from './combination-rows.js';
import { deriveModels, type KeptBlobs } from './derived-models.js';
import { noneJudged, remarkLevel2 } from './level-2.js';
import { checkOwners } from './owner-rows.js';
import { checkSuccession } from './policy-rows.js';
import { checkLedgers } from './privacy-ledger.js';
import { checkPrunings, judgedEntries } from './prune-rows.js';
import { type PrunedStart, startOfPruned } from './pruned-log.js';
import { checkDeletions } from './retention-rows.js';
import { type MaskedVectors, replayRounds } from './replay.js';
import { checkTwoPersons } from './override-rows.js';
import { checkReleases, remarkReleases } from './release-rows.js';
import { reportOf, type RunReport, runReportOf, type VerifyReport } from './report.js';
import { checkRounds } from './round-rows.js';
import { runsOf, type RunView } from './run-view.js';
import { checkCoverage, checkTexts } from './text-rows.js';
import { checkWithdrawals, type JudgedRun } from './withdrawal-rows.js';
import { checkTraining } from './training-rows.js';

const WEEK_SECONDS = 7 * 24 * 3600;

/** What an auditor has: the bundle, and what came from elsewhere. */
export interface VerifyInput {
  /** attacker-controlled */
  readonly bundle: Uint8Array;
  /** quorum policy text, from the sites, not from the bundle */
  readonly policy: string;
  /** judged as of this time; now by default */
  readonly asOf?: Date;
  /** gate mode `cosigned`: the newest cosignature may be so old, in seconds; a week by default */
  readonly maxAgeSeconds?: number;
  /** checkpoint notes that sites kept */
  readonly siteCheckpoints?: readonly string[];
  /** only this run; any beginning of its id that no other run has */
  readonly run?: string;
  /** masked vectors that the coordinator kept (evidence level 2) */
  readonly maskedVectors?: MaskedVectors;
  /** sums and models that the coordinator kept (evidence level 2) */
  readonly keptBlobs?: KeptBlobs;
  /** verifies the signatures of entries and rounds; by `verifyEd25519` where nothing is said */
  readonly holds?: SignatureCheck;
}

/**
 * Verify an exported log offline.
 *
 * @returns every machine row with the entries that break it; nothing is thrown for a wrong log
 * @throws E_BUNDLE if the archive cannot be read, E_ARGUMENT if the policy cannot
 */
export function verifyBundle({
  bundle,
  policy: policyText,
  asOf = new Date(),
  maxAgeSeconds = WEEK_SECONDS,
  siteCheckpoints = [],
  run,
  maskedVectors,
  keptBlobs,
  holds = verifyEd25519,
}: VerifyInput): VerifyReport {
  const findings = new Findings();
  const policy = parseQuorumPolicy(policyText);
  const content = readBundle(bundle);
  const read = readLogFiles(content, policy.log, findings);
  const start = read.minimum > 0 ? startOfPruned(read, attachmentsIn(content), findings) : undefined;
  findings.prunedBelow = read.minimum;
  if (read.minimum > 0 && start === undefined) return unstartable(read, policy, asOf, findings);
  const files = start?.files ?? read;
  const log = openLog(files, content, findings, start?.heads, holds);
  const kept = siteCheckpoints.flatMap((note) => checkSiteCheckpoint(note, policy, files, findings));
  let runs: RunReport[] = [];
  const { history } = log;
  if (history !== undefined) {
    const whole: VerifyContext = { log, keys: history.at(0), history, findings, holds };
    const context = start ? { ...whole, log: { ...log, entries: judgedEntries(whole, start) } } : whole;
    checkFounding(context);
    checkPolicy(history, policy, findings);
    if (history.last.genesis.gateMode === 'cosigned') {
      const { entries } = log;
      checkCosignatures({
        ...{ history, policy, content, files, entries, kept, asOf, maxAgeSeconds, findings },
      });
    }
    const judged: JudgedRun[] = [];
    runs = checkRuns(context, run, { maskedVectors, keptBlobs }, judged);
    const containing = checkWithdrawals(context, judged);
    checkTwoPersons(context);
    checkSuccession(context);
    checkTexts(whole);
    checkConfigurations(whole, start);
    checkBaselines(whole, files, start);
    checkPrunings(whole, files.minimum);
    remark(context, runs, start);
    remarkRemoved(context, containing);
    checkEvidence(context, files);
  }
  const genesis = history && { fed: history.last.fed, ...history.last.genesis };
  return reportOf({ files, policy, asOf, genesis, runs, findings, labelOf: log.labelOf });
}

/** The report of a pruned log whose beginning nothing vouches for: no key is known, and no row is judged by one. */
function unstartable(files: LogFiles, policy: QuorumPolicy, asOf: Date, findings: Findings): VerifyReport {
  const label = (index: number): EntryLabel => labelOf(files.entries[index] ?? new Uint8Array(0));
  return reportOf({ files, policy, asOf, genesis: undefined, runs: [], findings, labelOf: label });
}

/** What a coordinator kept, if it did. */
interface Level2Evidence {
  readonly maskedVectors: MaskedVectors | undefined;
  readonly keptBlobs: KeptBlobs | undefined;
}

function checkRuns(
  context: VerifyContext,
  only: string | undefined,
  { maskedVectors, keptBlobs }: Level2Evidence,
  judged: JudgedRun[],
): RunReport[] {
  const count = noneJudged();
  const views = viewsOf(context, only);
  const reports = views.map((view) => {
    const approved = checkApprovals(context, view);
    judged.push([view, approved]);
    const rounds = checkRounds(context, view, approved);
    checkOwners(context, rounds, approved);
    checkCombination(context, rounds, approved);
    checkModels(context, view, rounds);
    checkTraining(context, view, approved);
    checkDeletions(context, view);
    checkReleases(context, view, approved);
    if (maskedVectors) count.replayed += replayRounds(context.findings, view.run, rounds, maskedVectors);
    if (keptBlobs) deriveModels(context, rounds, approved, keptBlobs, count);
    count.closed += rounds.length;
    checkCoverage(context, rounds);
    const open = approved?.isPublic ?? true;
    if (context.keys.genesis.gateMode === 'signed' && !open) {
      context.findings.fail('L2', 'gate mode signed is for public or simulated data only', view.start?.index);
    }
    return runReportOf(view, approved, rounds);
  });
  remarkLevel2(context.findings, count, {
    vectors: maskedVectors !== undefined,
    blobs: keptBlobs !== undefined,
  });
  return reports;
}

/** The runs to judge. @throws E_ARGUMENT if `only` is the beginning of none of them, or of several */
function viewsOf({ log }: VerifyContext, only: string | undefined): RunView[] {
  const all = runsOf(log.entries);
  if (only === undefined) return all;
  const meant = all.filter(({ run }) => run.startsWith(only));
  if (meant.length === 1) return meant;
  throw new RegulonError(
    'E_ARGUMENT',
    meant.length === 0
      ? `the bundle has no ${only}`
      : `${meant.length} runs of the bundle begin with ${only}`,
    { hint: 'leave --run out: the first line then names the runs' },
  );
}

/** The policy given by the auditor is the one that the last roster fixes, each with a threshold as the formula demands. */
function checkPolicy(history: KeyHistory, policy: QuorumPolicy, findings: Findings): void {
  const { genesis, logKey, members } = history.last;
  const at = history.changedAt.at(-1) ?? 0;
  const listed = new Set(policy.witnesses.map(({ key }) => formatVkey(key)));
  const same = members.length === listed.size && members.every(({ cosigner }) => listed.has(cosigner));
  if (formatVkey(logKey) !== formatVkey(policy.log))
    findings.fail('L2', 'entry 0 names another log key than the policy', 0);
  if (genesis.gateMode === 'signed' && policy.threshold > 0)
    findings.fail('L2', `entry 0 says that no site cosigns, the policy wants ${policy.threshold} that do`, 0);
  else if (!same || policy.threshold !== (genesis.gateMode === 'signed' ? 0 : genesis.quorum))
    findings.fail('L2', `entry ${at} names other witnesses or another quorum than the policy`, at);
  const founding = history.at(0);
  const least = Math.floor(
    (founding.genesis.gamma.num * founding.members.length) / founding.genesis.gamma.den,
  );
  const { colluders, quorum } = founding.genesis;
  if (colluders < least || quorum < quorumOf(founding.members.length, colluders))
    findings.fail('L2', 'the quorum of entry 0 is below the formula', 0);
}

/** @returns the checkpoint, if it is a state of this log */
function checkSiteCheckpoint(
  note: string,
  policy: QuorumPolicy,
  { tree }: LogFiles,
  findings: Findings,
): KeptState[] {
  try {
    const kept = verifyCheckpoint(note, policy.log);
    if (kept.size > tree.size)
      findings.fail(
        'L1',
        `a site keeps a checkpoint of size ${kept.size}, the bundle ends at ${tree.size}`,
        tree.size,
      );
    else if (!equalBytes(tree.root(kept.size), kept.root)) {
      findings.fail('L2', `a site keeps another signed checkpoint of size ${kept.size}: the log was forked`);
    } else return [{ note, size: kept.size }];
  } catch (error) {
    findings.fail('L2', `a checkpoint that a site keeps is not acceptable: ${refusalOf(error).message}`);
  }
  return [];
}

/** What to say about rows that cannot be judged, or only in part. */
function remark(context: VerifyContext, runs: readonly RunReport[], start: PrunedStart | undefined): void {
  const { keys, findings } = context;
  const notBuilt = (row: Parameters<Findings['remark']>[0], note: string): void =>
    findings.remark(row, 'not-applicable', note);
  if (keys.genesis.gateMode === 'signed') {
    notBuilt(
      'L2',
      'gate mode signed: the log key alone signs checkpoints, no site cosigned; freshness is not judged',
    );
    notBuilt('L4', 'times do not go back in any chain; cosignature times exist in gate mode cosigned only');
  }
  remarkPrivacy(context, start);
  findings.remark(
    'A1',
    'pass',
    'role in force; purpose and data-use terms; what a plan declares is the word of its researcher',
  );
  findings.remark(
    'A3',
    'pass',
    "code and plan agree, and the subject of a provenance where a proposal has one; a builder's signature is not in the log",
  );
  remarkReleases(context);
  remarkEgress(context);
  const warnings = new Set(runs.flatMap((run) => run.warnings));
  if (warnings.size > 0) findings.remark('S1', 'pass', [...warnings].join('; '));
  if (runs.length > 0) return;
  for (const row of ['A1', 'A2', 'A3', 'S1', 'S2', 'S4', 'D2'] as const) notBuilt(row, 'the log has no run');
}

/** What row X1 has to say: who was removed, and which models contain what was withdrawn. */
function remarkRemoved({ history, log, findings }: VerifyContext, containing: readonly string[]): void {
  const isWithdrawn = log.entries.some(({ entry }) => entry.kind === 'dataset.withdraw');
  const models = containing.length === 0 ? 'no model contains withdrawn data' : containing.join('; ');
  if (isWithdrawn) findings.remark('X1', 'pass', models);
  else if (history.changedAt.length > 0) findings.remark('X1', 'pass', 'no dataset was withdrawn');
  else findings.remark('X1', 'not-applicable', 'no member was revoked, no dataset withdrawn');
}

/** What of the privacy rows could be judged. */
function remarkPrivacy(context: VerifyContext, start: PrunedStart | undefined): void {
  const { log, findings } = context;
  const { recomputed, open } = checkLedgers(context, start);
  const claims = log.entries.some(
    ({ entry }) => entry.kind === 'plan.propose' && entry.body.privacy !== null,
  );
  if (!claims) {
    for (const row of ['P1', 'P2', 'P3', 'P4'] as const)
      findings.remark(row, 'not-applicable', 'no plan claims differential privacy');
    return;
  }
  findings.remark('P1', 'pass', 'noised training rounds only, δ below 1 / (units of a site)');
  const ledgers = `${recomputed} charges recomputed`;
  findings.remark(
    'P2',
    open > 0 ? 'needs-human' : 'pass',
    open > 0 ? `${ledgers}, ${open} without a total in the log or above what is recomputed here` : ledgers,
  );
  findings.remark('P3', 'needs-human', 'how a site samples is not in the log: its software is');
  findings.remark('P4', 'pass', 'every noised release names its sampler; no seed can stand in an entry');
}
