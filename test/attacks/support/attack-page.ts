import { figureOf, htmlPage, htmlTable, rocFigure } from '@regulon/cli/run-report';
import type { AttackReport } from './attack-table.js';

/** The report of `npm run attacks` as a page that loads and runs nothing: pictures of the membership tests, then all figures. */
export function attackPage({ version, form, passed, notPassed, attacks }: AttackReport): string {
  const pictures = attacks.flatMap(({ attack, setting, defence, curve }, i) => {
    if (!curve) return [];
    const points = { name: `${setting}, ${defence}`, points: curve };
    return [figureOf(`roc-${i}`, rocFigure(`${attack}: ${setting}, ${defence}`, [points]))];
  });
  const rows = attacks.map(({ attack, setting, defence, measure, value, bound, aboveBound }) => [
    ...[attack, setting, defence, measure, String(value)],
    ...[bound === undefined ? 'none' : String(bound), aboveBound ? 'above' : ''],
  ]);
  return htmlPage(`Privacy attacks, ${form} form, ${version}`, [
    `<p>${passed} tests passed, ${notPassed.length} did not. A control has no defence; a value below its bound proves nothing.</p>`,
    ...pictures,
    htmlTable(['attack', 'setting', 'defence', 'measure', 'reached', 'bound', ''], rows),
  ]);
}
