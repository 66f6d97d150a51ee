import type { Command } from 'commander';
import { RegulonError } from '@regulon/shared/errors';
import { Person } from '../enrolment/index.js';
import { verifyReplaceable, writeWhole } from '../files/index.js';
import { bytesText } from '../output/index.js';
import { fileTerms, modelCard, releasedFile, releasedRun } from '../release/index.js';
import { base64, chainHead } from '../sim/index.js';
import { pulledBytes } from './pulled.js';
import { apiFor, connects, federationFor } from './connection.js';
import { confirm, type Context, handles } from './context.js';
import { logOf } from './model-release.js';
import { keyFileOf, proposes, type ProposeOptions } from './proposing.js';
import { resolveRun } from './resolve-run.js';

interface ExportOptions extends ProposeOptions {
  readonly out: string;
  readonly arm: string;
  readonly force: boolean;
}

/** `regulon model export`: the file of a release, with its card; the log says who took it out. */
export function modelExportCommand(model: Command, context: Context): void {
  const command = proposes(
    connects(
      model
        .command('export')
        .description('write the file of a released model (safetensors) and its card; only a release opens it')
        .argument('<run>', 'name, or a unique beginning'),
    ),
  )
    .requiredOption(
      '--out <file>',
      'the file; FILE.card.md says where it comes from and what protects the patients',
    )
    .option('--arm <number>', 'of the run', '0')
    .option('--force', 'replace existing files', false);
  handles<ExportOptions>(
    command,
    context,
    async ([name = ''], options) => {
      const { out, force } = options;
      const card = `${out}.card.md`;
      for (const file of [out, card]) verifyReplaceable(file, force);
      const api = apiFor(options, context);
      const run = await resolveRun(api, name);
      const federation = federationFor(options, context);
      const { log, resolve } = await logOf(api);
      const ground = releasedRun(log, run, resolve);
      const release = ground.releases.findLast(({ entry }) => String(entry.body.arm) === options.arm);
      if (release === undefined)
        throw new RegulonError('E_RELEASE', `no model of arm ${options.arm} of ${run} was released`, {
          hint: 'regulon model release',
        });
      const { model: digest, format, file } = release.entry.body;
      const { bytes, specification } = await pulledBytes(api, digest);
      const written = releasedFile(specification, bytes);
      const made = fileTerms(written);
      if (made.digest !== file.digest || made.size !== file.size)
        throw new RegulonError(
          'E_DIGEST',
          `the file made of ${digest} is not the one that entry ${release.index} releases`,
        );
      const lines = [`${out}  ${bytesText(made.size)}  ${made.digest}`, card];
      if (options.dryRun) return { data: { digest, file: made, index: null }, lines };
      await confirm(context, options, `write ${out} and have the log say so?`);
      const person = Person.fromKeyFile(keyFileOf(options, context), 'researcher', options.as);
      const body = { release: release.index, model: digest, format, file };
      const entry = person.seal(
        federation,
        { kind: 'model.export', run, body },
        await chainHead(api, person),
        new Date(),
      );
      const { indexes } = await api.appendEntries({ entries: [base64(entry)] });
      writeWhole(card, modelCard(ground, release.entry, release.index));
      writeWhole(out, written);
      return {
        data: { digest, file: made, card, index: indexes[0] },
        lines: [...lines, `entry ${indexes[0]}`],
      };
    },
    'federation',
  );
}
