/** Public vectors that stand in the text of one file: constants of a Go test, an example of a specification, a script. */
import { hex, leafHashOf, nodeHashOf, utf8 } from '@regulon/shared/crypto';
import { isRegulonError } from '@regulon/shared/errors';
import {
  KeyType,
  LogTree,
  parseNote,
  parseVkey,
  signaturesOf,
  type VerifierKey,
  verifierKey,
  verifyCheckpoint,
  verifyConsistency,
} from '@regulon/shared/transparency';

/** A vector of a text, and whether our code agrees with it. */
export type Agreement = readonly [name: string, agrees: boolean];

/** Constants of `rfc6962/rfc6962_test.go` in `transparency-dev/merkle`. */
export function hashConstants(text: string): Agreement[] {
  const ours: Record<string, Uint8Array> = {
    Empty: new LogTree().root(),
    'Empty Leaf': leafHashOf(new Uint8Array()),
    Leaf: leafHashOf(utf8('L123456')),
    Node: nodeHashOf(utf8('N123'), utf8('N456')),
  };
  const constants = text.matchAll(/desc:\s*"RFC6962 ([^"]+)",\s*want:\s*"([0-9a-f]{64})"/g);
  return [...constants].map(([, name = '', want]) => [name, want === hexOf(ours[name])]);
}

const hexOf = (bytes: Uint8Array | undefined): string => (bytes === undefined ? '' : hex(bytes));

/** The worked example of `signed-note.md` in `C2SP/C2SP`: a verifier key and a note. Some of its versions have none. */
export function noteExample(text: string): Agreement[] {
  const [vkey] = /^\s*example\.com\/foo\+[0-9a-f]{8}\+\S+$/m.exec(text) ?? [];
  const [note] = /^[^\n`]+\n\n— example\.com\/foo \S+\n/m.exec(text) ?? [];
  return vkey === undefined || note === undefined
    ? []
    : [['example.com/foo', isSigned(note, parseVkey(vkey.trim()))]];
}

const SUMDB_KEY = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';

/** A tree head as the Go checksum database answers `/latest`; its key has another name than its first line. */
export function checksumDatabase(text: string): Agreement[] {
  const [, size = ''] = text.split('\n');
  return [[`size ${size}`, isSigned(text, parseVkey(SUMDB_KEY))]];
}

const isSigned = (note: string, key: VerifierKey): boolean => {
  const parsed = parseNote(note);
  // throws when a line of the key does not verify
  return signaturesOf(parsed, key, (signature) => ({ message: utf8(parsed.body), signature })).length > 0;
};

/**
 * Requests to a witness and the status of each answer, from `litewitness.txt` of `FiloSottile/torchwood`. Signature and
 * proof are judged by our verifiers, in the order of C2SP tlog-witness.
 */
export function witnessRequests(text: string): Agreement[] {
  const [, key = ''] = /add-sigsum-log -key=([0-9a-f]{64})/.exec(text) ?? [];
  const [, hash = ''] = /^stdout sigsum\.org\/v1\/tree\/([0-9a-f]{64})$/m.exec(text) ?? [];
  const log = verifierKey(
    `sigsum.org/v1/tree/${hash}`,
    KeyType.log,
    Uint8Array.from(Buffer.from(key, 'hex')),
  );
  const witness = new Witness(log);
  const requests = text.matchAll(/^```\n(old [^`]+)^```\nHTTP (\d+)$/gm);
  return [...requests].map(([, request = '', status], i) => [
    `request ${i + 1}`,
    witness.answer(request) === Number(status),
  ]);
}

/** A witness of one log, in memory. */
class Witness {
  private size = 0;
  private root = new LogTree().root();

  constructor(private readonly log: VerifierKey) {}

  /** @returns HTTP status */
  answer(request: string): number {
    const end = request.indexOf('\n\n');
    const [first = '', ...lines] = request.slice(0, end).split('\n');
    const note = request.slice(end + 2);
    if (!note.startsWith(`${this.log.name}\n`)) return 404;
    const old = Number(first.slice('old '.length));
    const proof = lines.map((line) => Uint8Array.from(Buffer.from(line, 'base64')));
    const head = unlessRefused(() => verifyCheckpoint(note, this.log));
    if (head === undefined) return 403;
    if (old > head.size) return 400;
    if (old !== this.size) return 409;
    const sizes = { oldSize: old, newSize: head.size, oldRoot: this.root, newRoot: head.root, proof };
    const isProven = unlessRefused(() => old === 0 || (verifyConsistency(sizes), true));
    if (isProven === undefined) return 422;
    this.size = head.size;
    this.root = head.root;
    return 200;
  }
}

function unlessRefused<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (isRegulonError(error)) return undefined;
    throw error;
  }
}
