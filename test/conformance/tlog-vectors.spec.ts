import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hex, leafHashOf, publicKeyOf, sha256, signEd25519, utf8 } from '@regulon/shared/crypto';
import {
  checkpointBody,
  formatNote,
  formatVkey,
  KeyType,
  LogTree,
  verifierKey,
} from '@regulon/shared/transparency';
import { reportOf, runVectors } from './tlog-vectors.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'regulon-vectors-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const write = (path: string, content: unknown): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
};
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const tree = new LogTree();
const leaves = ['a', 'b', 'c'].map((text) => leafHashOf(utf8(text)));
leaves.forEach((leaf) => tree.append(leaf));
const inclusion = {
  ...{ leafIdx: 1, treeSize: 3, leafHash: base64(leaves[1]!), root: base64(tree.root(3)) },
  ...{ proof: tree.inclusion(1, 3).map(base64), desc: 'self-made', wantErr: false },
};
const consistency = {
  ...{ size1: 2, size2: 3, root1: base64(tree.root(2)), root2: base64(tree.root(3)) },
  ...{ proof: tree.consistency(2, 3).map(base64), desc: 'self-made', wantErr: false },
};

describe('public vectors of transparency logs', () => {
  it('are run where they lie as in their repositories, and the others named as absent', () => {
    write('merkle/testdata/inclusion/1/happy-path.json', inclusion);
    write('merkle/testdata/inclusion/1/no-proof.json', { ...inclusion, proof: null, wantErr: true });
    write('merkle/testdata/consistency/1/happy-path.json', consistency);
    write('json-canonicalization/testdata/input/values.json', '{ "b": 1, "a": [true, null, "\\u20ac"] }');
    write('json-canonicalization/testdata/output/values.json', '{"a":[true,null,"€"],"b":1}');
    expect(runVectors(root)).toEqual([
      { set: 'transparency-dev/merkle inclusion', passed: 2, failed: [] },
      { set: 'transparency-dev/merkle consistency', passed: 1, failed: [] },
      { set: 'transparency-dev/tessera log', passed: null, failed: [] },
      { set: 'cyberphone/json-canonicalization', passed: 1, failed: [] },
      { set: 'transparency-dev/merkle constants', passed: null, failed: [] },
      { set: 'C2SP/C2SP signed-note example', passed: null, failed: [] },
      { set: 'sum.golang.org checkpoint', passed: null, failed: [] },
      { set: 'FiloSottile/torchwood add-checkpoint', passed: null, failed: [] },
    ]);
  });

  it('name each that does not agree', () => {
    write('testdata/inclusion/1/happy-path.json', { ...inclusion, wantErr: true });
    write('testdata/consistency/1/modified.json', { ...consistency, root1: base64(tree.root(1)) });
    write('testdata/log/checkpoint.1', 'no checkpoint');
    expect(runVectors(root).map(({ failed }) => failed)).toEqual([
      ['1/happy-path.json'],
      ['1/modified.json'],
      ['checkpoint.1'],
      ...[[], [], [], [], []],
    ]);
  });

  it('are read from the text of a test, a specification, an answer and a script', () => {
    const seed = sha256(utf8('self-made'));
    const key = publicKeyOf(seed);
    const noteOf = (name: string, body: string): string => {
      const { keyId } = verifierKey(name, KeyType.log, key);
      return formatNote({ body, signatures: [{ name, keyId, signature: signEd25519(seed, utf8(body)) }] });
    };
    write(
      'merkle/rfc6962/rfc6962_test.go',
      `{ desc: "RFC6962 Empty", want: "${hex(sha256(new Uint8Array()))}" }, { desc: "RFC6962 Leaf", want: "${'00'.repeat(32)}" }`,
    );
    const vkey = formatVkey(verifierKey('example.com/foo', KeyType.log, key));
    write(
      'C2SP/signed-note.md',
      `\n    ${vkey}\n\n\`\`\`\n${noteOf('example.com/foo', 'A text.\n')}\`\`\`\n`,
    );
    write('sum.golang.org/latest', noteOf('sum.golang.org', 'go.sum database tree\n3\nAAAA\n'));
    const log = `sigsum.org/v1/tree/${hex(sha256(utf8('log')))}`;
    const asked = (old: number, size: number, proof: Uint8Array[], status: number, name = log): string => {
      const body = checkpointBody({ origin: name, size, root: tree.root(size) });
      const lines = [`old ${old}`, ...proof.map(base64), ''].join('\n');
      return `\`\`\`\n${lines}\n${noteOf(name, body)}\`\`\`\nHTTP ${status}\n\n`;
    };
    const proof = tree.consistency(1, 3);
    write(
      'torchwood/cmd/litewitness/testdata/litewitness.txt',
      `exec witnessctl add-sigsum-log -key=${hex(key)}\nstdout ${log}\n${[
        asked(0, 1, [], 200),
        asked(1, 3, [], 422),
        asked(1, 3, proof, 404, `${log}0`),
        asked(1, 3, proof, 403).replace(
          /(\S)(\S{4})\n```/,
          (_, c: string, end: string) => `${c === 'A' ? 'B' : 'A'}${end}\n\`\`\``,
        ),
        asked(2, 3, proof, 409),
        asked(3, 1, [], 400),
        asked(1, 3, proof, 200),
        asked(3, 3, [], 409),
      ].join('')}`,
    );
    expect(runVectors(root).slice(4)).toMatchObject([
      { passed: 1, failed: ['Leaf'] },
      { passed: 1, failed: [] },
      { passed: 0, failed: ['size 3'] },
      { passed: 7, failed: ['request 8'] },
    ]);
    write('sum.golang.org/latest', 'rubbish');
    expect(runVectors(root)[6]).toMatchObject({ passed: 0, failed: ['latest'] });
  });

  it('are no proof where none was found, or one does not agree', () => {
    mkdirSync(join(root, 'merkle', 'testdata', 'inclusion'), { recursive: true });
    const none = reportOf(runVectors(root));
    expect(none.isWhole).toBe(false);
    expect(none.lines.at(-1)).toMatch(/^FAIL {2}no vector was run/);
    write('merkle/testdata/inclusion/1/happy-path.json', inclusion);
    expect(reportOf(runVectors(root))).toMatchObject({ isWhole: true });
    write('merkle/testdata/inclusion/1/rubbish.json', 'rubbish{');
    const { lines, isWhole } = reportOf(runVectors(root));
    expect(isWhole).toBe(false);
    expect(lines.slice(0, 2)).toEqual([
      'FAIL  transparency-dev/merkle inclusion: 1 of 2 do not agree',
      '      1/rubbish.json',
    ]);
  });
});
