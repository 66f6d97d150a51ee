import { isUtf8 } from 'node:buffer';
import { hex, sha256 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { digestText, parseCheckpoint, parseNote, readBundle, textOfNote } from '@regulon/shared/transparency';
import type { CoordinatorApi } from '../api-client/index.js';
import { readBundleFile, readBytes, readTextFile } from './files.js';

/** What the log then says, and where. */
export interface Recorded {
  /** null when it was not agreed to */
  readonly index: number | null;
  /** entries of the checkpoint that it is about */
  readonly size: number;
}

/** Whether an entry about a state of the log is to be written. @param size entries of that state */
type Agreement = (size: number) => Promise<boolean>;

/** Arguments of `regulon audit record`. */
export interface RecordArguments {
  /** path of the report */
  readonly report: string;
  /** path of the bundle that it is about */
  readonly bundle: string;
  /** name and version of the program that judged */
  readonly verifier: string;
  readonly api: Pick<CoordinatorApi, 'recordReport' | 'logHead'>;
  /** asked when everything was read, before anything is sent */
  readonly isAgreed: Agreement;
}

/**
 * Have the log say that a report was issued: its digest, and the state of the log that it is about.
 *
 * @throws E_ARGUMENT, E_BUNDLE, E_VERIFY for files that cannot be used; E_VERIFY, too, when bundle or report are about another
 * log than the coordinator's; E_LOG_ENTRY when the log has no such state
 */
export async function recordCommand(args: RecordArguments): Promise<Recorded> {
  const { report, bundle, verifier, api, isAgreed } = args;
  const { files } = readBundle(await readBundleFile(bundle));
  const note = textOfNote(files.get('checkpoint'));
  const checkpoint = headOfNote(note);
  const bytes = await readBytes('the report', report);
  await verifySameLog(bundle, note, api);
  verifyNames(report, bytes, { origin: parseCheckpoint(note).origin, root: checkpoint.root });
  const digest = digestText(sha256(bytes));
  const { size } = checkpoint;
  if (!(await isAgreed(size))) return { index: null, size };
  const { indexes } = await api.recordReport({ report: digest, checkpoint, verifier });
  return { index: indexes[0] ?? null, size };
}

/** Arguments of `regulon audit anchor`. */
export interface AnchorArguments {
  /** path of what a timestamp authority or a public log answered */
  readonly token: string;
  /** path of the checkpoint that was dated: a signed note */
  readonly checkpoint: string;
  readonly form: 'rfc3161' | 'public-log';
  readonly api: Pick<CoordinatorApi, 'recordAnchor' | 'logHead'>;
  /** asked when everything was read, before anything is sent */
  readonly isAgreed: Agreement;
}

/** A token is some kilobytes. */
const MAX_TOKEN_BYTES = 64 * 1024;

/**
 * Have the log say that somebody outside dated a checkpoint of it.
 *
 * @throws E_ARGUMENT, E_VERIFY for files that cannot be used; E_VERIFY, too, for a checkpoint of another log; E_LOG_ENTRY when
 * the log has no such state, or the token is about something else
 */
export async function anchorCommand(args: AnchorArguments): Promise<Recorded> {
  const { token, checkpoint, form, api, isAgreed } = args;
  const bytes = await readBytes('the token', token);
  if (bytes.length > MAX_TOKEN_BYTES)
    throw new RegulonError('E_ARGUMENT', `${token} has ${bytes.length} bytes: no token is so large`);
  const note = await readTextFile('the checkpoint', checkpoint);
  const head = headOfNote(note);
  await verifySameLog(checkpoint, note, api);
  const request = { checkpoint: head, form, token: Buffer.from(bytes).toString('base64') };
  if (!(await isAgreed(head.size))) return { index: null, size: head.size };
  const { indexes } = await api.recordAnchor(request);
  return { index: indexes[0] ?? null, size: head.size };
}

/** What a checkpoint states; whether the log key signed it is the coordinator's to judge. @throws E_VERIFY */
function headOfNote(note: string): { readonly size: number; readonly root: string } {
  const { size, root } = parseCheckpoint(note);
  return { size, root: digestText(root) };
}

/** The note in a file is of the log that the coordinator keeps. @throws E_VERIFY naming both logs */
async function verifySameLog(
  file: string,
  note: string,
  api: Pick<CoordinatorApi, 'logHead'>,
): Promise<void> {
  const [theirs, own] = [logOf(file, note), logOf('the coordinator', (await api.logHead()).note)];
  if (theirs === own) return;
  throw new RegulonError('E_VERIFY', `${file} is about the log ${theirs}, the coordinator keeps ${own}`, {
    hint: 'name a file of this federation, or the coordinator of that one',
  });
}

/** Name and key id of the log that signed a note. @throws E_VERIFY if it did not */
function logOf(source: string, note: string): string {
  const { origin } = parseCheckpoint(note);
  const own = parseNote(note).signatures.find(({ name }) => name === origin);
  if (own) return `${origin}+${hex(own.keyId)}`;
  throw new RegulonError('E_VERIFY', `the checkpoint of ${source} has no line of its log ${origin}`);
}

/**
 * A report names the log and the state that it is about. One that is no text, as a scan of a signed page, cannot be read
 * here.
 *
 * @throws E_VERIFY for a text without these
 */
function verifyNames(
  path: string,
  bytes: Uint8Array,
  { origin, root }: Readonly<Record<'origin' | 'root', string>>,
): void {
  const report = Buffer.from(bytes);
  if (!isUtf8(report) || (report.includes(origin) && report.includes(root))) return;
  const named = /[\w.:-]+\/fed\/[\w-]+/.exec(report.toString())?.[0];
  throw new RegulonError(
    'E_VERIFY',
    `${path} is about ${named === undefined || named === origin ? 'another state of the log' : `the log ${named}`}, not ${origin} with root ${root}`,
    { hint: 'name the report that `regulon audit report` wrote of this bundle' },
  );
}
