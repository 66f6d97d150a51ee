import { FRAME, type Line, lineChart } from '@regulon/cli/run-report';
import type { Measured } from './measure.js';
import { mean } from './table.js';

/** Share of the largest class of brca3. */
const MAJORITY = 83 / 152;
const STYLE =
  'text{font:11px sans-serif;fill:#222}.line{fill:none;stroke-width:2}.grid{stroke:#ddd}.axis{stroke:#222}rect{fill:#fff}';

/** Accuracy against ε as an SVG file: a line for each configuration that was measured at several ε. */
export function plotOf(rows: readonly Measured[]): string {
  const at = rows.filter((row) => row.epsilon !== null);
  const several = [...new Set(at.map(({ name }) => name))]
    .map((name) => at.filter((row) => row.name === name))
    .filter((own) => own.length > 1);
  const [least, most] = [Math.min(...several.flat().map(x)), Math.max(...several.flat().map(x))];
  const flat = (name: string, y: number): Line => ({
    name,
    points: [least, most].map((e) => [e, y] as const),
  });
  const best = several.at(-1)?.[0]?.name;
  const free = rows.find((row) => row.name === best && row.epsilon === null);
  const { inner, title, words } = lineChart({
    title: 'Accuracy against ε',
    words: 'Subtypes of five breast cancer clients, mean of the seeds.',
    names: ['ε at δ = 0.001 a site', 'accuracy'],
    lines: [
      ...several.map((own) => ({
        name: own[0]?.name ?? '',
        points: own.map((row) => [x(row), mean(row.accuracy)] as const),
      })),
      ...(free ? [flat(`${free.name}, no protection`, mean(free.accuracy))] : []),
      flat('largest class', MAJORITY),
    ],
    isLegendLow: true,
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${FRAME.width} ${FRAME.height}" role="img"><title>${title}</title><desc>${words}</desc><style>${STYLE}</style><rect width="100%" height="100%"/>${inner}</svg>\n`;
}

const x = ({ epsilon }: Measured): number => epsilon ?? NaN;
