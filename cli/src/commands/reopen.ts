import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { readSeedFile } from '@regulon/client/enrol';
import type { ReopenReply } from '@regulon/coordinator/runs';
import { hex, publicKeyOf, signEd25519 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { type ReopenDocument, reopenDocument, reopenSigningBytes } from '@regulon/shared/transparency';
import { readJsonFile, writeWhole } from '../files/index.js';
import type { CommandResult } from '../output/index.js';
import { apiFor, type ConnectionOptions, connects } from './connection.js';
import { confirm, type Context, handles } from './context.js';
import { resolveRun } from './resolve-run.js';
import { documentLines } from './run-lines.js';

interface ReopenOptions extends ConnectionOptions {
  readonly document: string;
  readonly key?: string;
  readonly submit: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
}

/** `regulon run reopen`: administrators sign that a burnt round may be answered once more. */
export function reopenCommand(run: Command, context: Context): void {
  const command = connects(
    run
      .command('reopen')
      .description('let a burnt round be answered once more; each administrator signs the same document')
      .argument('<run>', 'name, or a unique beginning'),
  )
    .requiredOption('--document <file>', 'what is signed; written when it is not there')
    .option('--key <file>', "sign with an administrator's key, mode 0600")
    .option('--submit', 'hand the signed document in: the round goes on', false)
    .option('--dry-run', 'say what would be signed; write, sign and hand in nothing', false)
    .option('--yes', 'do not ask', false);
  handles<ReopenOptions>(
    command,
    context,
    ([name = ''], options) => reopenRun(name, options, context),
    'federation',
  );
}

async function reopenRun(name: string, options: ReopenOptions, context: Context): Promise<CommandResult> {
  const { document: file, key, submit, dryRun } = options;
  const api = apiFor(options, context);
  const run = await resolveRun(api, name);
  const terms = await api.reopenTerms(run);
  const known = existsSync(file) ? readJsonFile(file, reopenDocument, 'E_ARGUMENT') : terms.document;
  verifyCurrent(known, terms, file);
  if (dryRun) return { data: known, lines: linesOf(known, terms) };
  const signed = key === undefined ? known : await withSignature(known, terms, key, options, context);
  writeWhole(file, `${JSON.stringify(signed, null, 2)}\n`);
  if (!submit) return { data: signed, lines: linesOf(signed, terms) };
  await confirm(context, options, `reopen round ${signed.round} of ${run}?`);
  const after = await api.reopen(run, signed);
  return { data: after, lines: documentLines(after) };
}

/** @throws E_STATE when the file says other than what the coordinator would take now */
function verifyCurrent(known: ReopenDocument, { document }: ReopenReply, file: string): void {
  const bytes = ({ body, ...place }: ReopenDocument): string => hex(reopenSigningBytes(place, body));
  if (bytes(known) === bytes(document)) return;
  throw new RegulonError('E_STATE', `${file} is not about the round that is burnt now`, {
    hint: 'remove the file and begin again',
  });
}

async function withSignature(
  document: ReopenDocument,
  terms: ReopenReply,
  keyFile: string,
  options: ReopenOptions,
  context: Context,
): Promise<ReopenDocument> {
  const seed = readSeedFile(keyFile);
  const own = hex(publicKeyOf(seed));
  const admin = terms.administrators.find(({ key }) => key === own)?.id;
  if (admin === undefined)
    throw new RegulonError('E_ROSTER', `${keyFile} is no key of an administrator of this federation`);
  const { contributors } = document.body;
  const question = `sign that round ${document.round} is answered once more, with sites ${contributors.join(', ')}?`;
  await confirm(context, options, question);
  const { body, ...place } = document;
  const signature = Buffer.from(signEd25519(seed, reopenSigningBytes(place, body))).toString('base64');
  const others = body.signatures.filter((s) => s.admin !== admin);
  const signatures = [...others, { admin, signature }].sort((a, b) => a.admin - b.admin);
  return { ...document, body: { ...body, signatures } };
}

function linesOf({ round, attempt, body }: ReopenDocument, { reason, needed }: ReopenReply): string[] {
  return [
    `round ${round} was burnt in attempt ${body.burnt}: ${reason.code}, ${reason.message}`,
    `attempt ${attempt} would have the contributors ${body.contributors.join(', ')}${body.proof === null ? '' : '; one site dealt wrong shares, the proof is in the document'}`,
    `signed by ${body.signatures.length} of ${needed} administrators`,
  ];
}
