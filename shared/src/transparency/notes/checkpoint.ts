import { RegulonError } from '../../errors/index.js';
import { formatNote, parseNote, signaturesOf, signNoteBody } from './signed-note.js';
import { KeyType, type NamedSeed, type VerifierKey } from './vkey.js';

/** The head of a log: what a checkpoint states. */
export interface Checkpoint {
  /** name of the log and of its key */
  readonly origin: string;
  /** number of entries */
  readonly size: number;
  /** root of the tree, 32 bytes */
  readonly root: Uint8Array;
}

/** Text that the log key signs: origin, size and base64 root, a line each, no extension lines. */
export function checkpointBody({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/** Signed checkpoint note. @param signer the log key; its name is the origin */
export function signCheckpoint(checkpoint: Checkpoint, signer: NamedSeed): string {
  const body = checkpointBody(checkpoint);
  return formatNote({ body, signatures: [signNoteBody(body, signer, KeyType.log)] });
}

/**
 * Read a checkpoint note without checking its signatures.
 *
 * @throws E_VERIFY if the form is wrong or extension lines are present
 * @see C2SP tlog-checkpoint
 */
export function parseCheckpoint(note: string): Checkpoint {
  const [origin = '', size = '', root = '', ...rest] = parseNote(note).body.split('\n');
  const bytes = Buffer.from(root, 'base64');
  const canonical =
    /^(0|[1-9]\d{0,15})$/.test(size) && bytes.length === 32 && bytes.toString('base64') === root;
  if (origin === '' || !canonical || rest.length !== 1 || !Number.isSafeInteger(Number(size))) {
    throw new RegulonError('E_VERIFY', 'the checkpoint is not origin, size and root');
  }
  return { origin, size: Number(size), root: Uint8Array.from(bytes) };
}

/**
 * Check a checkpoint under the key of the log and read it.
 *
 * @param logKey of type 0x01; its name must be the origin
 * @returns what the log states; consistency with earlier heads is checked elsewhere
 * @throws E_VERIFY if the form is wrong, the origin differs, or no signature of this key verifies
 */
export function verifyCheckpoint(note: string, logKey: VerifierKey): Checkpoint {
  const checkpoint = parseCheckpoint(note);
  const parsed = parseNote(note);
  const message = new TextEncoder().encode(parsed.body);
  const valid = signaturesOf(parsed, logKey, (signature) => ({ message, signature }));
  if (logKey.type !== KeyType.log || checkpoint.origin !== logKey.name || valid.length === 0) {
    throw new RegulonError('E_VERIFY', `the checkpoint is not signed by the log key of ${logKey.name}`);
  }
  return checkpoint;
}
