import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { ModelSpecification } from '@regulon/coordinator/runs';
import { hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { decodeSpecification, panelDigest, testTableText } from '@regulon/shared/genomics';
import type { CoordinatorApi } from '../api-client/index.js';
import { verifyReplaceable, writeWhole } from '../files/index.js';
import { bytesText, tableLines } from '../output/index.js';
import { apiFor, type ConnectionOptions, connects } from './connection.js';
import { type Context, handles } from './context.js';
import { modelAttributeCommand } from './model-attribute.js';
import { modelDescribeCommand } from './model-describe.js';
import { modelExportCommand } from './model-export.js';
import { modelPredictCommand } from './model-predict.js';
import { modelReleaseCommand } from './model-release.js';
import { modelTestCommand } from './model-test.js';
import { pullModel } from './pulled.js';
import { resolveRun } from './resolve-run.js';

interface ModelRow {
  readonly digest: string;
  readonly run: string;
  readonly plan: string;
  readonly arm: string;
  readonly parameters: number;
}

/** `regulon model …`: what a plan declares, and the models of finished runs. */
export function modelCommands(program: Command, context: Context): void {
  const model = program.command('model').description('models of plans and runs');
  modelDescribeCommand(model, context);
  list(model, context);
  pull(model, context);
  modelPredictCommand(model, context);
  modelAttributeCommand(model, context);
  modelTestCommand(model, context);
  modelReleaseCommand(model, context);
  modelExportCommand(model, context);
}

function list(model: Command, context: Context): void {
  const command = connects(model.command('list').description('every model, by run and arm'));
  handles<ConnectionOptions>(command, context, async (_, options) => {
    const models = await modelsOf(apiFor(options, context));
    return {
      data: { models },
      rows: models,
      lines: models.length === 0 ? ['no models'] : modelLines(models),
    };
  });
}

function modelLines(models: readonly ModelRow[]): string[] {
  return tableLines(
    [
      { title: 'model', value: (m: ModelRow) => m.digest.slice(0, 19) },
      { title: 'run', value: (m) => m.run.slice(0, 14) },
      { title: 'plan', value: (m) => m.plan },
      { title: 'arm', value: (m) => m.arm },
      { title: 'parameters', value: (m) => m.parameters.toLocaleString('en'), right: true },
    ],
    models,
  );
}

function pull(model: Command, context: Context): void {
  const command = connects(
    model
      .command('pull')
      .description('download a model; its digest is checked')
      .argument('<model>', 'digest, or a unique beginning; or a run, for its model'),
  )
    .requiredOption(
      '--out <file>',
      'float32 little-endian; FILE.json gets the shapes, FILE.limma.tsv the test of a plan with limma-voom',
    )
    .option('--panel <file>', 'names of the genes in their order, one a line, for FILE.limma.tsv')
    .option('--force', 'replace existing files', false);
  handles<ConnectionOptions & { out: string; panel?: string; force: boolean }>(
    command,
    context,
    async ([name = ''], options) => {
      const { out, panel, force } = options;
      const specification = `${out}.json`;
      const table = `${out}.limma.tsv`;
      for (const file of [out, specification, table]) verifyReplaceable(file, force);
      const api = apiFor(options, context);
      const digest = await resolveModel(api, name);
      const { bytes, specification: spec } = await pullModel(api, digest, out);
      const test = testOf(spec, panel);
      if (test !== null) writeWhole(table, test);
      const data = { digest, bytes, file: out, specification, ...(test !== null && { table }) };
      const files = test === null ? [specification] : [specification, table];
      return { data, lines: [`${out}  ${bytesText(bytes)}  ${digest}`, ...files] };
    },
    'files',
  );
}

/** Lines of a file of gene names. @throws E_ARGUMENT when it cannot be read */
function namesIn(panel: string): string[] {
  try {
    return readFileSync(panel, 'utf8').trimEnd().split(/\r?\n/);
  } catch (cause) {
    throw new RegulonError('E_ARGUMENT', `--panel: ${panel} cannot be read`, {
      hint: 'check the path',
      cause,
    });
  }
}

/** The table of the test in the preparation, or null without one. @throws E_PANEL when the names are of another panel */
function testOf({ featureSpecification }: ModelSpecification, panel: string | undefined): string | null {
  if (featureSpecification === null) return null;
  const spec = decodeSpecification(Uint8Array.from(Buffer.from(featureSpecification, 'base64')));
  const names = panel === undefined ? undefined : namesIn(panel);
  if (names && hex(panelDigest(names)) !== spec.panelDigest)
    throw new RegulonError('E_PANEL', `--panel: the genes of ${panel} are not those of the run`);
  return testTableText(spec, names);
}

async function modelsOf(api: CoordinatorApi): Promise<ModelRow[]> {
  const rows: ModelRow[] = [];
  for (const { run, name } of await api.runs()) {
    const { models } = await api.run(run);
    rows.push(
      ...models.map(({ digest, label, parameters }) => ({ digest, run, plan: name, arm: label, parameters })),
    );
  }
  return rows;
}

/** A model by its digest, a unique beginning of it, or its run. @throws E_NOT_FOUND, E_ARGUMENT */
async function resolveModel(api: CoordinatorApi, name: string): Promise<string> {
  if (name.startsWith('run_')) return modelOfRun(api, await resolveRun(api, name));
  if (/^sha256:[0-9a-f]{64}$/.test(name)) return name;
  const digests = new Set((await modelsOf(api)).map(({ digest }) => digest));
  const found = [...digests].filter(
    (digest) => digest.startsWith(name) || digest.startsWith(`sha256:${name}`),
  );
  if (found.length === 1 && found[0] !== undefined) return found[0];
  if (found.length === 0)
    throw new RegulonError('E_NOT_FOUND', `no model begins with ${name}`, { hint: 'regulon model list' });
  throw new RegulonError('E_ARGUMENT', `${found.length} models begin with ${name}`, {
    hint: 'write more of the digest',
  });
}

async function modelOfRun(api: CoordinatorApi, run: string): Promise<string> {
  const { modelDigest, status } = await api.run(run);
  if (modelDigest !== null) return modelDigest;
  throw new RegulonError('E_NOT_FOUND', `${run} is ${status} and has no model`, { hint: 'regulon run show' });
}
