import type { AttributedOutput, Attributions } from '@regulon/client/samples';
import { barChart, escaped, figureOf, htmlPage, htmlTable, numberText } from '../run-report/index.js';

/** What the page says beside the numbers. */
export interface AttributionFacts {
  readonly method: string;
  /** of the model */
  readonly digest: string;
  /** inputs of each picture */
  readonly top: number;
}

/** Positions of the inputs by mean absolute attribution, the largest first. */
export function rankedInputs({ meanAbsolute }: AttributedOutput): number[] {
  return [...meanAbsolute.keys()].sort((a, b) => meanAbsolute[b]! - meanAbsolute[a]! || a - b);
}

/** The first genes of each output as one page that loads nothing: for the site itself. */
export function attributionPage(attributions: Attributions, facts: AttributionFacts): string {
  const { units, gap, summary, comparedWith } = attributions;
  const rows = [
    ['model', facts.digest],
    ['method', facts.method],
    ['samples', String(units.length)],
    ...(comparedWith === null ? [] : [['compared with', comparedWith]]),
    ...(gap === null ? [] : [['missing from the sum', `${numberText(100 * gap)} %`]]),
  ];
  const figures = summary.map((output, i) =>
    figureOf(`output-${i + 1}`, picture(attributions, output, facts)),
  );
  return htmlPage('What speaks for the output of a model', [
    '<p><strong>For this site only:</strong> the numbers come from single samples of it.</p>',
    htmlTable(['', ''], rows),
    ...figures,
    `<p>${escaped(READING)}</p>`,
  ]);
}

const READING =
  'A bar is the mean absolute attribution of a gene over the samples. It is filled where the gene speaks for the output ' +
  'on average, hollow where it speaks against it. What a model attends to is not a cause.';

function picture({ inputs }: Attributions, output: AttributedOutput, { method, top }: AttributionFacts) {
  const { name, units, mean, meanAbsolute } = output;
  const first = rankedInputs(output).slice(0, top);
  const names = first.map((i) => inputs[i] ?? '');
  const bars = first.map((i) => {
    const value = meanAbsolute[i] ?? 0;
    return { name: inputs[i] ?? '', value, isRun: (mean[i] ?? 0) >= 0 };
  });
  const title = `${name}: first ${first.length} of ${inputs.length} inputs`;
  const words = `${units} samples, ${method}. The largest: ${names.slice(0, 5).join(', ')}.`;
  const drawn = barChart(title, words, 'mean absolute attribution', bars);
  const rows = first.map((i) => [inputs[i] ?? '', numberText(meanAbsolute[i]), numberText(mean[i])]);
  return { ...drawn, numbers: { titles: ['input', 'mean absolute', 'mean'], rows } };
}
