import {
  figureOf,
  htmlPage,
  htmlTable,
  lineChart,
  numberText,
  type Picture,
  rocFigure,
} from '@regulon/cli/run-report';
import type { Histogram } from './attack-report.js';
import type { AttackReport } from './attack-table.js';

/** The report of `npm run attacks` as a page that loads and runs nothing: pictures of the membership tests, then all figures. */
export function attackPage({ version, form, passed, notPassed, attacks }: AttackReport): string {
  const pictures = attacks.flatMap(({ attack, setting, defence, curve, histogram }, i) => {
    const title = `${attack}: ${setting}, ${defence}`;
    const points = curve ? [{ name: `${setting}, ${defence}`, points: curve }] : [];
    return [
      ...(curve ? [figureOf(`roc-${i}`, rocFigure(title, points))] : []),
      ...(histogram ? [figureOf(`scores-${i}`, scoreFigure(title, histogram))] : []),
    ];
  });
  const rows = attacks.map(({ attack, setting, defence, measure, value, bound, aboveBound }) => [
    ...[attack, setting, defence, measure, numberText(value)],
    ...[bound === undefined ? 'none' : numberText(bound), aboveBound ? 'above' : ''],
  ]);
  return htmlPage(`Privacy attacks, ${form} form, ${version}`, [
    `<p>${passed} tests passed, ${notPassed.length} did not. A control has no defence; a value below its bound proves nothing.</p>`,
    ...pictures,
    htmlTable(['attack', 'setting', 'defence', 'measure', 'reached', 'bound', ''], rows),
  ]);
}

/** Scores of members beside those of others: where the two lie on each other, no threshold tells them apart. */
function scoreFigure(title: string, { low, width, members, others }: Histogram): Picture {
  const stairs = (shares: readonly number[]): [number, number][] =>
    shares.flatMap((share, i): [number, number][] => [
      [low + i * width, share],
      [low + (i + 1) * width, share],
    ]);
  const apart = members.reduce((sum, share, i) => sum + Math.abs(share - others[i]!), 0) / 2;
  return lineChart({
    title: `${title}: scores`,
    words: `A share of ${numberText(apart)} of the members lies where no others do (half of the sum of all differences). Scores beyond the middle 98 % count at the ends.`,
    names: ['score of the attack', 'share of units'],
    lines: [
      { name: 'members', points: stairs(members) },
      { name: 'others', points: stairs(others) },
    ],
  });
}
