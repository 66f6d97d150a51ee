import { type Command, Option } from 'commander';
import { type AnchorArguments, anchorCommand, recordCommand } from '../audit/index.js';
import { apiFor, type ConnectionOptions, connects } from './connection.js';
import { type Context, handles } from './context.js';
import { VERSION } from './version.js';

/** `regulon audit record|anchor`: what the log says of reports on it, and of those who dated it. */
export function recordCommands(audit: Command, context: Context): void {
  const record = connects(
    audit
      .command('record')
      .description('have the log say that a report on it was issued')
      .argument('<report>', 'the page or document that was issued'),
  ).requiredOption('--bundle <file>', 'the exported log that it is about');
  handles<ConnectionOptions & { bundle: string }>(
    record,
    context,
    async ([report = ''], { bundle, ...connection }) => {
      const api = apiFor(connection, context);
      const data = await recordCommand({ report, bundle, verifier: `regulon-${VERSION}`, api });
      return { data, lines: [`report.issued: entry ${data.index}, over ${data.size} entries`] };
    },
    'federation',
  );
  const anchor = connects(
    audit
      .command('anchor')
      .description('have the log say that somebody outside dated a checkpoint of it')
      .argument('<token>', 'what the timestamp authority or the public log answered'),
  )
    .requiredOption('--checkpoint <file>', 'the signed note whose text was dated')
    .addOption(
      new Option('--form <form>', 'of the token').choices(['rfc3161', 'public-log']).default('rfc3161'),
    );
  handles<ConnectionOptions & Pick<AnchorArguments, 'checkpoint' | 'form'>>(
    anchor,
    context,
    async ([token = ''], { checkpoint, form, ...connection }) => {
      const api = apiFor(connection, context);
      const data = await anchorCommand({ token, checkpoint, form, api });
      return { data, lines: [`anchor: entry ${data.index}, over ${data.size} entries`] };
    },
    'federation',
  );
}
