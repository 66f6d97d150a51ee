import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SimFederation } from '@regulon/cli/sim';
import { openModel, type Predictions, predictSamples, type PulledModel } from '@regulon/client/samples';
import type { RunDocument } from '@regulon/coordinator/runs';

/** Fetch the model of a run into a folder, as `regulon model pull` does, and open it. */
export async function pulledModel(
  federation: SimFederation,
  { modelDigest }: RunDocument,
  folder: string,
): Promise<PulledModel> {
  const digest = modelDigest ?? '';
  const path = join(folder, 'model.f32');
  const { api } = federation;
  writeFileSync(`${path}.json`, JSON.stringify(await api.modelSpecification(digest)));
  writeFileSync(path, await api.model(digest));
  return openModel(path);
}

/** What a model says of the samples of a table: the name of the likeliest class by that of the sample. */
export async function classesOf(
  model: PulledModel,
  source: Parameters<typeof predictSamples>[1],
  folder: string,
): Promise<Map<string, string>> {
  return likeliest(await predictSamples(model, source, { folder, backend: 'wasm' }));
}

function likeliest({ units, outputs, values }: Predictions): Map<string, string> {
  const width = outputs.length;
  return new Map(
    units.map((name, unit) => {
      const row = values.subarray(unit * width, (unit + 1) * width);
      return [name, outputs[row.indexOf(Math.max(...row))] ?? ''];
    }),
  );
}
