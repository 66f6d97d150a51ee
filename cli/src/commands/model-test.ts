import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type DaemonConfig, readDaemonConfig } from '@regulon/client/config';
import { loadSiteKeys } from '@regulon/client/enrol';
import { loadFederation } from '@regulon/client/policy';
import type { MembershipTest } from '@regulon/client/samples';
import { siteModelsFolder } from '@regulon/client/state';
import type { Beat } from '@regulon/client/training';
import { RegulonError } from '@regulon/shared/errors';
import {
  type AttackFindings,
  type AttackReport,
  attackReportBytes,
  ratesAboveBound,
  signAttackReport,
  statementKeyName,
} from '@regulon/shared/transparency';
import { type TrainerOptions, trainerOf, trains } from '../arguments/index.js';
import { inPrivateFolder, verifyReplaceable, writeWhole } from '../files/index.js';
import { type Context, handles } from './context.js';
import { progressBar } from './progress-bar.js';

interface TestOptions extends TrainerOptions {
  readonly others: string;
  readonly othersLabels?: string;
  readonly reference?: readonly string[];
  readonly out: string;
  readonly force: boolean;
}

/** `regulon model test`: whether a pulled model tells the patients of this site from others; the report may go with a release. */
export function modelTestCommand(model: Command, context: Context): void {
  const command = trains(
    model
      .command('test')
      .description(
        'membership tests of a pulled model at the site whose data it was trained on; a report for a release',
      )
      .argument('<model>', 'weights of `regulon model pull`; FILE.json lies beside them'),
  )
    .requiredOption('--others <path>', 'samples of the same kind that the model never saw')
    .option('--others-labels <file>', 'their table of labels')
    .option('--reference <model...>', 'pulled models of the same task that saw neither: a sharper test')
    .requiredOption(
      '--out <file>',
      'the report: shares in 1/32, counts in bands; nothing leaves until you attach it',
    )
    .option('--force', 'replace an existing file', false);
  handles<TestOptions>(
    command,
    context,
    async ([file = ''], options, output) => {
      const { out, force } = options;
      verifyReplaceable(out, force);
      const daemon = daemonOf(options);
      const sign = signerAt(daemon.config);
      const { openModel, testMembership } = await import('@regulon/client/samples');
      const { trainedCommitment } = await import('@regulon/client/describe');
      const attacked = await openModel(resolve(file));
      const commitment = await trainedCommitment(daemon.file, attacked.run);
      const bar = progressBar(context.screen, 'testing', output.quiet);
      const onBeat = ({ step, steps }: Beat): void => bar.show(step / Math.max(1, steps));
      const findings = await inPrivateFolder(out, async (folder) => {
        const references = await Promise.all(
          (options.reference ?? []).map((path) => openModel(resolve(path))),
        );
        const test = { ...sidesOf(daemon.config, options), commitment, references };
        return testMembership(attacked, test, {
          ...trainerOf(options),
          folder,
          onBeat,
        });
      }).finally(() => bar.end());
      const report = sign(findings);
      writeWhole(out, attackReportBytes(report), 0o600);
      return { data: { file: out, report }, lines: [`${out}  ${report.model}`, ...linesOf(report)] };
    },
    'files',
  );
}

/** @throws E_ARGUMENT without a configuration, E_CONFIG */
function daemonOf({ config }: TestOptions): { readonly file: string; readonly config: DaemonConfig } {
  if (config === undefined)
    throw new RegulonError(
      'E_ARGUMENT',
      '--config is missing: its dataset is what the model was trained on',
      {
        hint: 'name the configuration of the daemon of this site',
      },
    );
  return { file: config, config: readDaemonConfig(config) };
}

/**
 * Signs reports as the site, with its statement key: whoever attaches one cannot have written it.
 *
 * @throws E_KEY_FILE, E_ROSTER, before anything is measured
 */
function signerAt(config: DaemonConfig): (findings: AttackFindings) => AttackReport {
  const { identity: seed } = loadSiteKeys(config.stateFolder);
  const { keys } = loadFederation(config.federation, config.site, config.rosterHash, seed);
  const keyName = statementKeyName(keys.genesis.origin, 'site', config.site);
  return (findings) => signAttackReport(findings, { keyName, seed });
}

/** The data of the daemon's configuration are the members. */
function sidesOf(
  { dataset, site, stateFolder }: DaemonConfig,
  { others, othersLabels }: TestOptions,
): Omit<MembershipTest, 'references' | 'commitment'> {
  const { counts, labels, orientation, ignoreColumns, columnsPrefix, perPatient } = dataset;
  const form = {
    ...(orientation === undefined ? {} : { orientation }),
    ...(ignoreColumns === undefined ? {} : { ignoreColumns }),
    ...(columnsPrefix === undefined ? {} : { columnsPrefix }),
    ...(perPatient === undefined ? {} : { perPatient }),
  };
  const kept = { modelFiles: resolve(stateFolder, 'model-files'), siteModels: siteModelsFolder(stateFolder) };
  const sideOf = (path: string, table: string | undefined) => ({
    where: { counts: path, ...(table === undefined ? {} : { labels: table }), ...form },
    ...kept,
  });
  const labelsOfOthers = othersLabels === undefined ? undefined : resolve(othersLabels);
  return { site, members: sideOf(counts, labels), others: sideOf(resolve(others), labelsOfOthers) };
}

function linesOf({ commitment, members, others, attacks }: AttackReport): string[] {
  return [
    `${members} members of the dataset ${commitment} against ${others} others`,
    ...attacks.flatMap((result) => {
      const above = ratesAboveBound(result);
      const points = result.curve
        .filter(({ falsePositives }) => falsePositives === '0.001' || falsePositives === '0.01')
        .map(
          ({ falsePositives, found, error, bound }) =>
            `  ${found} of the members at ${100 * Number(falsePositives)} % of the others (± ${error}), ${bound === null ? 'bounded by nothing' : `bound ${bound}`}`,
        );
      const verdict =
        'ABOVE the bound of the (ε, δ): an accountant or a sampler is wrong; release nothing, report it';
      return [`${result.attack}: area ${result.area}`, ...points, ...(above.length > 0 ? [verdict] : [])];
    }),
  ];
}
