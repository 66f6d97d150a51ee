import type { JestResult } from '../../security/support/long-table.js';
import { breaksBound, type Measured } from './attack-report.js';

/** What `npm run attacks` writes. */
export interface AttackReport {
  readonly schema: 'regulon.attacks/1';
  readonly version: string;
  readonly form: 'quick' | 'long';
  readonly passed: number;
  /** `status: title` of every test that did not pass */
  readonly notPassed: readonly string[];
  readonly attacks: readonly (Measured & { readonly aboveBound: boolean })[];
}

export function attackReport(
  version: string,
  form: AttackReport['form'],
  { testResults }: JestResult,
  lines: readonly Measured[],
): AttackReport {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const notPassed = tests.filter(({ status }) => status !== 'passed');
  return {
    ...{ schema: 'regulon.attacks/1', version, form, passed: tests.length - notPassed.length },
    notPassed: notPassed.map(({ status, title }) => `${status}: ${title}`),
    attacks: [...lines]
      .sort((a, b) => a.attack.localeCompare(b.attack, 'en', { numeric: true }))
      .map((line) => ({ ...line, aboveBound: breaksBound(line) })),
  };
}

const shown = (value: number): string =>
  value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(0) : String(Number(value.toPrecision(3)));

/** Markdown: one line for each figure. A figure above its bound stands beside a control, or fails the build. */
export function attackTable({ version, form, passed, notPassed, attacks }: AttackReport): string[] {
  return [
    `${version}, ${form} form: ${passed} tests passed, ${notPassed.length} not`,
    '',
    '| attack | setting | defence | measure | reached | bound | |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...attacks.map(({ attack, setting, defence, measure, value, bound, aboveBound }) => {
      const limit = bound === undefined ? '' : shown(bound);
      return `| ${[attack, setting, defence, measure, shown(value), limit, aboveBound ? 'above' : ''].join(' | ')} |`;
    }),
    ...notPassed,
  ];
}
