import { warningsOf } from '../../secagg/index.js';
import { digestText } from '../entries/fields.js';
import type { QuorumPolicy } from '../notes/quorum-policy.js';
import type { ApprovedRun } from './approval-rows.js';
import type { EntryLabel, Finding, Findings, RowId, RowStatus } from './findings.js';
import type { LogFiles } from './log-files.js';
import type { ClosedRound } from './opened-rounds.js';
import type { RunView } from './run-view.js';

/** What verification found about one run. */
export interface RunReport {
  readonly run: string;
  /** name of the plan */
  readonly plan: string;
  readonly planHash: string;
  readonly status: string;
  /** every dataset is declared public or simulated */
  readonly public: boolean;
  readonly sites: readonly string[];
  readonly rounds: number;
  readonly aborted: number;
  /** e.g. `19 of 20 rounds with 5 of 5 sites, 1 with 4 of 5` */
  readonly coverage: string;
  readonly finalModel: string | null;
  /** what its rounds did not protect against, because roster or plan say so */
  readonly warnings: readonly string[];
}

/** The auditor's answer. */
export interface VerifyReport {
  readonly schema: 'regulon.report/1';
  readonly status: 'pass' | 'fail';
  /** what to read first: the verdict, or the first wrong entry by index, kind, actor and rule */
  readonly firstLine: string;
  readonly federation: string | null;
  readonly gateMode: 'signed' | 'cosigned' | null;
  readonly log: { readonly origin: string; readonly size: number; readonly root: string };
  readonly asOf: string;
  readonly quorum: { readonly N: number; readonly f: number | null; readonly q: number };
  readonly rules: readonly {
    readonly id: RowId;
    readonly rule: string;
    readonly status: RowStatus;
    readonly evidence: readonly number[];
    readonly note: string;
  }[];
  readonly runs: readonly RunReport[];
}

/** Summary of a run. */
export function runReportOf(
  view: RunView,
  approved: ApprovedRun | undefined,
  rounds: readonly ClosedRound[],
): RunReport {
  const counts = new Map<number, number>();
  for (const { derived } of rounds) counts.set(derived.u3.length, (counts.get(derived.u3.length) ?? 0) + 1);
  const all = approved?.sites.length ?? 0;
  const parts = [...counts]
    .sort(([a], [b]) => b - a)
    .map(([sites, n], i) => {
      return i === 0
        ? `${n} of ${rounds.length} rounds with ${sites} of ${all} sites`
        : `${n} with ${sites} of ${all}`;
    });
  return {
    run: view.run,
    plan: approved?.proposal.entry.body.name ?? 'unknown',
    planHash: view.start?.entry.body.planHash ?? '',
    status: view.finish?.entry.body.status ?? 'UNFINISHED',
    public: approved?.isPublic ?? false,
    sites: approved?.sites.map(({ name }) => name) ?? [],
    rounds: rounds.length,
    aborted: view.aborts.filter(({ entry }) => entry.actor.type === 'coordinator').length,
    coverage: parts.join(', ') || 'no round closed',
    finalModel: view.finish?.entry.body.finalModel ?? null,
    warnings: [
      ...new Set(rounds.flatMap(({ manifest, derived }) => warningsOf(manifest, derived.thresholds.c))),
    ],
  };
}

/** What `reportOf` puts together. */
export interface ReportParts {
  readonly files: LogFiles;
  readonly policy: QuorumPolicy;
  readonly asOf: Date;
  readonly genesis:
    | { readonly fed: string; readonly gateMode: 'signed' | 'cosigned'; readonly colluders: number }
    | undefined;
  readonly runs: readonly RunReport[];
  readonly findings: Findings;
  readonly labelOf: (index: number) => EntryLabel;
}

/** The report with its first line. */
export function reportOf({
  files,
  policy,
  asOf,
  genesis,
  runs,
  findings,
  labelOf,
}: ReportParts): VerifyReport {
  const { checkpoint, entries, tree } = files;
  const first = findings.first();
  const status = first === undefined ? 'pass' : 'fail';
  const summary = {
    ...{ federation: genesis?.fed ?? 'log', size: entries.length, gateMode: genesis?.gateMode },
    pruned: findings.prunedBelow,
  };
  return {
    schema: 'regulon.report/1',
    status,
    firstLine:
      first === undefined ? passLine(summary, runs) : failLine(first, findings.list.length - 1, labelOf),
    federation: genesis?.fed ?? null,
    gateMode: genesis?.gateMode ?? null,
    log: {
      origin: policy.log.name,
      size: checkpoint?.size ?? entries.length,
      root: digestText(checkpoint?.root ?? tree.root()),
    },
    asOf: asOf.toISOString(),
    quorum: { N: policy.witnesses.length, f: genesis?.colluders ?? null, q: policy.threshold },
    rules: findings.rows(),
    runs,
  };
}

function failLine(first: Finding, others: number, labelOf: (index: number) => EntryLabel): string {
  const more = others > 0 ? ` (and ${others} more)` : '';
  if (first.index === undefined) return `FAIL  ${first.rule}: ${first.note}${more}`;
  const { kind, actor } = labelOf(first.index);
  const written = actor.type === 'unreadable' ? kind : `${kind} by ${actor.type} ${actor.id}`;
  return `FAIL  entry ${first.index} (${written}), ${first.rule}: ${first.note}${more}`;
}

function passLine(
  {
    federation,
    size,
    gateMode,
    pruned,
  }: { federation: string; size: number; gateMode: string | undefined; pruned: number },
  runs: readonly RunReport[],
): string {
  const gate = gateMode === 'signed' ? '; L2 not applicable: gate mode signed, no site cosigned' : '';
  const shown = runs
    .slice(0, 3)
    .map(
      ({ run, status, coverage, public: open }) =>
        `${run.slice(0, 12)} ${status}, ${coverage}${open ? ' (public or simulated data)' : ''}`,
    );
  const rest = runs.length > 3 ? [`${runs.length - 3} more runs`] : [];
  const lost = pruned > 0 ? `, those before ${pruned} pruned` : '';
  return `PASS  ${federation}: ${size} entries${lost}; ${[...shown, ...rest].join('; ') || 'no run'}${gate}`;
}
