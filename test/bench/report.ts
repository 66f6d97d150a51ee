import { cpus, totalmem } from 'node:os';

/** One measured figure beside something named that ran in the same process group. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** what the value is compared with */
  readonly against: string;
  /** value ÷ the figure it is compared with, or null where nothing comparable ran */
  readonly ratio: number | null;
  /** e.g. `≤ 0.8` (less is better) or `≥ 2.3` (more is better), in the unit of the value */
  readonly goal: string;
  readonly ok: boolean | null;
}

/** The rows of one benchmark. */
export interface BenchReport {
  readonly schema: 'regulon.bench/1';
  readonly name: string;
  readonly machine: string;
  readonly rows: readonly BenchRow[];
}

/** The machine in words: CPU, cores, memory, Node. */
export function machineOf(): string {
  const cpu = cpus();
  return `${cpu.length} × ${cpu[0]?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
}

/** A row whose goal is `≤ limit` (less is better) or `≥ limit` (more is better); without a goal `ok` is null. */
export function row(
  fields: Omit<BenchRow, 'goal' | 'ok' | 'ratio'> & { atMost?: number; atLeast?: number; reference?: number },
): BenchRow {
  const { atMost, atLeast, reference, ...rest } = fields;
  const goal = atMost !== undefined ? `≤ ${atMost}` : atLeast !== undefined ? `≥ ${atLeast}` : '';
  const ok =
    atMost !== undefined ? rest.value <= atMost : atLeast !== undefined ? rest.value >= atLeast : null;
  return {
    ...rest,
    ratio: reference === undefined || reference === 0 ? null : rest.value / reference,
    goal,
    ok,
  };
}

/** The report as a table for people. */
export function renderReport(report: BenchReport): string {
  const cells = report.rows.map((r) => [
    r.name,
    `${Number(r.value.toPrecision(4))} ${r.unit}`,
    r.ratio === null ? '' : `${r.ratio.toFixed(2)} × ${r.against}`,
    r.goal,
    r.ok === null ? '' : r.ok ? 'met' : 'missed',
  ]);
  const head = ['what', 'value', 'against', 'goal', ''];
  const widths = head.map((h, i) => Math.max(h.length, ...cells.map((c) => (c[i] ?? '').length)));
  const line = (c: readonly string[]): string =>
    `| ${c.map((x, i) => x.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((w) => '-'.repeat(w + 2)).join('|')}|`;
  return [`${report.name}: ${report.machine}`, '', line(head), rule, ...cells.map(line)].join('\n');
}
