import type { ActorType } from '../entries/kinds.js';

/** Machine rows of the compliance checklist. */
export const machineRows = {
  L1: 'log signatures, tiles, entries and chain recompute',
  L2: 'a quorum of sites cosigned the checkpoints',
  L3: 'each entry is signed by keys valid at its index; chains without gap or fork',
  L4: 'times never go back',
  L5: 'everything is still there that its retention class demands',
  A1: 'launched by a researcher, for a purpose that every site allows, within its data-use terms',
  A2: 'each site approved the executed plan before it contributed',
  A3: 'the code that ran is the code that was approved',
  A4: 'two-person rules; exceptions from a policy signed by two',
  S1: 'all thresholds of secure aggregation',
  S2: 'consistent signatures, no double reveal, every masked input with its contribution',
  S3: 'replay equals the aggregate root',
  S4: 'models and feature specifications follow from round to round',
  P1: 'privacy parameters constant with the plan',
  P2: 'privacy ledger without gap and within its cap',
  P3: 'sampling as the accountant assumes',
  P4: 'noise source and sampler named',
  D1: 'only allowed fields, no identifiers in texts',
  D2: 'no metric of a small cohort; counts in bands',
  R1: 'releases approved',
  R2: 'membership-inference result attached',
  X1: 'nothing after revocation or withdrawal',
} as const;

/** Name of a row, e.g. `L1`. */
export type RowId = keyof typeof machineRows;
/** What was found about a row. */
export type RowStatus = 'pass' | 'fail' | 'not-applicable' | 'pruned' | 'needs-human';

/** One thing that is wrong. */
export interface Finding {
  readonly rule: RowId;
  /** entry that is wrong; undefined when no entry can be named */
  readonly index?: number;
  readonly note: string;
}

/** Who wrote an entry, as far as it can be read. */
export interface EntryLabel {
  readonly kind: string;
  readonly actor: { readonly type: ActorType | 'unreadable'; readonly id: string };
}

/** Rows of which nothing is lost with the entries: their hashes and checkpoints stay, and L5 is about what stays. */
const KEPT_ROWS = new Set<RowId>(['L1', 'L2', 'L5']);
/** Rows that say nothing of what no entry is about, though one may have been. */
const ABOUT_RUNS = new Set<RowId>(['A1', 'A2', 'A3', 'S1', 'S2', 'S4', 'D2', 'R1', 'R2']);

/** Everything wrong that was found, and what is to be said about rows that hold. */
export class Findings {
  readonly list: Finding[] = [];
  /** first entry that was not pruned */
  prunedBelow = 0;
  private readonly remarks = new Map<RowId, { status: RowStatus; note: string }>();

  /** Note what breaks a row. @param index of the wrong entry, when one can be named */
  fail(rule: RowId, note: string, index?: number): void {
    this.list.push(index === undefined ? { rule, note } : { rule, note, index });
  }

  /** What to say about a row unless it fails. */
  remark(rule: RowId, status: RowStatus, note: string): void {
    this.remarks.set(rule, { status, note });
  }

  /** A person must judge a row, too: beside what was said of it before. */
  ask(rule: RowId, note: string): void {
    const said = this.remarks.get(rule)?.note;
    this.remark(rule, 'needs-human', said === undefined ? note : `${said}; ${note}`);
  }

  /** The finding with the lowest index; of those without index the first. */
  first(): Finding | undefined {
    const isPlaced = (finding: Finding): finding is Finding & { index: number } =>
      finding.index !== undefined;
    return this.list.filter(isPlaced).sort((a, b) => a.index - b.index)[0] ?? this.list[0];
  }

  /** The rows of the report. */
  rows(): { id: RowId; rule: string; status: RowStatus; evidence: number[]; note: string }[] {
    return (Object.keys(machineRows) as RowId[]).map((id) => {
      const failed = this.list.filter((finding) => finding.rule === id);
      const evidence = [...new Set(failed.flatMap(({ index }) => index ?? []))]
        .sort((a, b) => a - b)
        .slice(0, 100);
      const remark = this.remarks.get(id) ?? { status: 'pass' as const, note: '' };
      const status = failed.length > 0 ? 'fail' : this.known(id, remark.status);
      const note =
        failed.length > 0
          ? failed
              .slice(0, 5)
              .map((finding) => finding.note)
              .join('; ')
          : [remark.note, ...(status === 'pruned' ? [this.lost()] : [])].filter(Boolean).join('; ');
      return { id, rule: machineRows[id], status, evidence, note };
    });
  }

  private known(id: RowId, status: RowStatus): RowStatus {
    if (this.prunedBelow === 0 || KEPT_ROWS.has(id)) return status;
    return status === 'pass' || (status === 'not-applicable' && ABOUT_RUNS.has(id)) ? 'pruned' : status;
  }

  private lost(): string {
    return `entries before ${this.prunedBelow} were pruned: judged are those that are left and those that the baseline repeats`;
  }
}
