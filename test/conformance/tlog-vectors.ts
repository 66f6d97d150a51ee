import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { canonicalJson, equalBytes, leafHashOf } from '@regulon/shared/crypto';
import { isRegulonError } from '@regulon/shared/errors';
import {
  LogTree,
  parseEntryBundle,
  parseVkey,
  verifyCheckpoint,
  verifyConsistency,
  verifyInclusion,
} from '@regulon/shared/transparency';
import {
  type Agreement,
  checksumDatabase,
  hashConstants,
  noteExample,
  witnessRequests,
} from './text-vectors.js';

/** What became of one public set. */
export interface SetResult {
  readonly set: string;
  /** vectors that agree; null when the folder has none of such a set */
  readonly passed: number | null;
  /** names of those that do not */
  readonly failed: readonly string[];
}

/** Key of the log in the test data of `transparency-dev/tessera`. */
const TESSERA_KEY = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx';

interface MerkleVector {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly leafHash: string;
  readonly root: string;
  readonly size1: number;
  readonly size2: number;
  readonly root1: string;
  readonly root2: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}

/** A check of one vector: whether it agrees. */
type Check = (path: string) => boolean;

/** Base64 or null, as Go writes bytes. */
const bytesOf = (text: string | null): Uint8Array => Uint8Array.from(Buffer.from(text ?? '', 'base64'));
const proofOf = ({ proof }: MerkleVector): Uint8Array[] => (proof ?? []).map(bytesOf);

const agrees =
  (verify: (vector: MerkleVector) => void): Check =>
  (path) => {
    const vector = JSON.parse(readFileSync(path, 'utf8')) as MerkleVector;
    return refuses(() => verify(vector)) === vector.wantErr;
  };

function refuses(action: () => void): boolean {
  try {
    action();
    return false;
  } catch (error) {
    if (isRegulonError(error)) return true;
    throw error;
  }
}

const inclusion = agrees((v) =>
  verifyInclusion({
    ...{ entryHash: bytesOf(v.leafHash), index: v.leafIdx, size: v.treeSize },
    ...{ root: bytesOf(v.root), proof: proofOf(v) },
  }),
);
const consistency = agrees((v) =>
  verifyConsistency({
    ...{ oldSize: v.size1, newSize: v.size2, proof: proofOf(v) },
    ...{ oldRoot: bytesOf(v.root1), newRoot: bytesOf(v.root2) },
  }),
);

/** A checkpoint `checkpoint.<size>` beside its tiles: signature, and the root of its entries. */
const checkpoint: Check = (path) => {
  let size = 0;
  const isRefused = refuses(() => {
    const signed = verifyCheckpoint(readFileSync(path, 'utf8'), parseVkey(TESSERA_KEY));
    size = signed.size;
    const tree = new LogTree();
    const width = size % 256;
    const tile = join(path, '..', 'tile', 'entries', size < 256 ? `000.p/${width}` : '000');
    if (size > 0)
      parseEntryBundle(Uint8Array.from(readFileSync(tile)), width).entries.forEach((entry) =>
        tree.append(leafHashOf(entry)),
      );
    if (!equalBytes(tree.root(), signed.root)) throw new RangeError(`another root at size ${size}`);
  });
  return !isRefused;
};

/** A file of `input` against the one of its name in `output`. */
const canonical: Check = (path) => {
  const output = join(path, '..', '..', 'output', path.slice(path.lastIndexOf('/') + 1));
  return canonicalJson(JSON.parse(readFileSync(path, 'utf8'))) === readFileSync(output, 'utf8').trimEnd();
};

const sets: readonly [set: string, repository: string, folder: string, name: RegExp, check: Check][] = [
  ['transparency-dev/merkle inclusion', 'merkle', 'testdata/inclusion', /\.json$/, inclusion],
  ['transparency-dev/merkle consistency', 'merkle', 'testdata/consistency', /\.json$/, consistency],
  ['transparency-dev/tessera log', 'tessera', 'testdata/log', /^checkpoint\.\d+$/, checkpoint],
  ['cyberphone/json-canonicalization', 'json-canonicalization', 'testdata/input', /\.json$/, canonical],
];

const texts: readonly [set: string, repository: string, path: string, read: (text: string) => Agreement[]][] =
  [
    ['transparency-dev/merkle constants', 'merkle', 'rfc6962/rfc6962_test.go', hashConstants],
    ['C2SP/C2SP signed-note example', 'C2SP', 'signed-note.md', noteExample],
    ['sum.golang.org checkpoint', 'sum.golang.org', 'latest', checksumDatabase],
    [
      'FiloSottile/torchwood add-checkpoint',
      'torchwood',
      'cmd/litewitness/testdata/litewitness.txt',
      witnessRequests,
    ],
  ];

/**
 * Run the public vectors of audit logs that lie in a folder.
 *
 * @param folder of clones named as their repositories, or one such clone
 * @returns one result a set
 */
export function runVectors(folder: string): SetResult[] {
  return [...runFolders(folder), ...runTexts(folder)];
}

function runTexts(folder: string): SetResult[] {
  return texts.map(([set, repository, below, read]) => {
    const path = [join(folder, repository, below), join(folder, below)].find((file) => existsSync(file));
    const vectors = path === undefined ? [] : readText(path, read);
    const failed = vectors.filter(([, agrees]) => !agrees).map(([name]) => name);
    return { set, passed: vectors.length === 0 ? null : vectors.length - failed.length, failed };
  });
}

function readText(path: string, read: (text: string) => Agreement[]): Agreement[] {
  try {
    return read(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof Error) return [[basename(path), false]];
    throw error;
  }
}

function runFolders(folder: string): SetResult[] {
  return sets.map(([set, repository, below, name, check]) => {
    const root = [join(folder, repository, below), join(folder, below)].find((path) => existsSync(path));
    if (root === undefined) return { set, passed: null, failed: [] };
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((path) => name.test(path.slice(path.lastIndexOf('/') + 1)))
      .sort();
    const failed = files.filter((path) => !holds(check, join(root, path)));
    return { set, passed: files.length - failed.length, failed };
  });
}

/** A vector that our code cannot read at all does not agree either. */
function holds(check: Check, path: string): boolean {
  try {
    return check(path);
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

/**
 * What to print of the sets.
 *
 * @returns isWhole when at least one vector was run and all agree: a folder in which nothing was found proves nothing
 */
export function reportOf(results: readonly SetResult[]): { lines: string[]; isWhole: boolean } {
  const lines = results.flatMap(({ set, passed, failed }) => {
    if (passed === null) return [`SKIP  ${set}: not in the folder`];
    const first =
      failed.length === 0
        ? `PASS  ${set}: ${passed}`
        : `FAIL  ${set}: ${failed.length} of ${passed + failed.length} do not agree`;
    return [first, ...failed.map((name) => `      ${name}`)];
  });
  const [agree, disagree] = [
    results.reduce((sum, { passed }) => sum + (passed ?? 0), 0),
    results.reduce((sum, { failed }) => sum + failed.length, 0),
  ];
  if (agree + disagree === 0)
    lines.push('FAIL  no vector was run: clone a repository named above into the folder');
  return { lines, isWhole: agree > 0 && disagree === 0 };
}
