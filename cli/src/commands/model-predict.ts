import type { Command } from 'commander';
import type { Predictions } from '@regulon/client/samples';
import { verifyReplaceable, writeLines } from '../files/index.js';
import { type Context, handles } from './context.js';
import { appliesModel, cell, numberCell, type SampleOptions, withModel } from './model-samples.js';

/** `regulon model predict`: what a pulled model says of samples of this site. Nothing leaves the machine. */
export function modelPredictCommand(model: Command, context: Context): void {
  const command = appliesModel(
    model
      .command('predict')
      .description('what a pulled model says of samples of this site; nothing leaves the machine'),
    'table, tab-separated: a row a sample',
  );
  handles<SampleOptions>(
    command,
    context,
    async ([file = ''], options, output) => {
      const { out, force } = options;
      verifyReplaceable(out, force);
      const { predictSamples } = await import('@regulon/client/samples');
      const how = { context, output, what: 'predicting' };
      const predictions = await withModel(file, options, how, ({ model: opened, source, trainer }) =>
        predictSamples(opened, source, trainer),
      );
      writeLines(out, rowsOf(predictions));
      const { units, outputs, backend } = predictions;
      const data = { file: out, units: units.length, outputs: outputs.length, backend };
      const lines = [`${out}  ${units.length} samples × ${outputs.length} outputs, by ${backend}`];
      return { data, lines };
    },
    'files',
  );
}

function* rowsOf({ units, outputs, values, isClassification }: Predictions): Generator<string> {
  const width = outputs.length;
  yield ['unit', ...(isClassification ? ['predicted'] : []), ...outputs].map(cell).join('\t');
  for (const [unit, name] of units.entries()) {
    const row = values.subarray(unit * width, (unit + 1) * width);
    const best = isClassification ? [cell(outputs[row.indexOf(Math.max(...row))] ?? '')] : [];
    yield [cell(name), ...best, ...Array.from(row, numberCell)].join('\t');
  }
}
