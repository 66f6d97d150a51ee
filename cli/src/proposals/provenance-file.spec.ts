import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DAEMON_CODE } from '@regulon/client/version';
import { sha256, utf8 } from '@regulon/shared/crypto';
import { digestText } from '@regulon/shared/transparency';
import { readPlanFile } from '../plan-file/index.js';
import { exampleFile, proposal } from '../sim/index.js';
import { readProvenance } from './index.js';

const subject = [
  { name: 'sbom', digest: { sha512: 'ab' } },
  { name: 'regulon', digest: { sha256: DAEMON_CODE.slice('sha256:'.length) } },
];
const statementWith = (changes: object): object => ({
  ...{ _type: 'https://in-toto.io/Statement/v1', predicateType: 'https://slsa.dev/provenance/v1' },
  subject,
  predicate: {
    buildDefinition: { externalParameters: { contact: 'jane@hospital.example' } },
    runDetails: { builder: { id: 'https://builder.example/one' } },
  },
  ...changes,
});
const statement = statementWith({});
const builtBy = (id: unknown): object => statementWith({ predicate: { runDetails: { builder: { id } } } });
const enveloped = (content: unknown, payloadType = 'application/vnd.in-toto+json') => ({
  ...{ payloadType, payload: Buffer.from(JSON.stringify(content)).toString('base64url') },
  signatures: [{ sig: 'c2ln' }],
});

describe('the file of a provenance', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-provenance-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const read = (content: unknown): ReturnType<typeof readProvenance> => {
    const path = join(folder, 'provenance.json');
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return readProvenance(path);
  };

  it.each([
    ['a statement', statement],
    ['its envelope', enveloped(statement)],
    ['a Sigstore bundle with that', { mediaType: 'bundle', dsseEnvelope: enveloped(statement) }],
  ])('names builder and subject, and itself by its digest: %s', (_, content) => {
    expect(read(content)).toEqual({
      builder: 'https://builder.example/one',
      subject: DAEMON_CODE,
      statement: digestText(sha256(utf8(JSON.stringify(content)))),
    });
  });

  it.each([
    ['no JSON', '{', /provenance\.json: not JSON/],
    ['a list', [], /provenance\.json/],
    ['another document', {}, /_type/],
    [
      'a statement of another version',
      statementWith({ _type: 'https://in-toto.io/Statement/v0.1' }),
      /_type/,
    ],
    ['a statement of something else', statementWith({ predicateType: 'https://spdx.dev' }), /predicateType/],
    ['an envelope of something else', enveloped(statement, 'text/plain'), /_type/],
    ['an envelope of no JSON', { ...enveloped(0), payload: 'AAAA' }, /not JSON/],
    ['a bundle with something else', { dsseEnvelope: enveloped(statement, 'text/plain') }, /_type/],
    ['no builder', statementWith({ predicate: {} }), /runDetails/],
    ['a builder with a space', builtBy('https://b  signature checked'), /without spaces/],
    ['a builder that steers terminals', builtBy('https://b\u001b[2J'), /without spaces/],
    ['a builder of 501 letters', builtBy('b'.repeat(501)), /without spaces/],
    [
      'other software',
      statementWith({ subject: [{ digest: { sha256: '0'.repeat(64) } }] }),
      /other software/,
    ],
    ['nothing', statementWith({ subject: [] }), /other software/],
  ])('is refused: %s', (_, content, words) => {
    expect(() => read(content)).toThrow(expect.objectContaining({ code: 'E_ARGUMENT' }));
    expect(() => read(content)).toThrow(words);
  });

  it('is refused when it is of other software, naming the code of this version', () => {
    expect(() => read(statementWith({ subject: [] }))).toThrow(
      expect.objectContaining({ hint: expect.stringContaining(DAEMON_CODE) }),
    );
  });

  it('stands in the proposal, and nothing else of it', () => {
    const plan = readPlanFile(exampleFile('brca3-mlp.yaml'));
    const { body } = proposal(plan, [1, 2, 3, 4, 5], read(statement));
    expect(body.provenance).toMatchObject({ subject: body.code });
    expect(JSON.stringify(body)).not.toContain('hospital.example');
    expect(proposal(plan, [1, 2, 3, 4, 5]).body.provenance).toBeNull();
  });
});
