import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { DAEMON_CODE } from '@regulon/client/version';
import { sha256 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { type BodyOf, digestText } from '@regulon/shared/transparency';
import { parseJsonText } from '../files/index.js';

/** Longest file that is read, bytes. */
const MAX_BYTES = 2 ** 24;

/** What is read of an in-toto statement with SLSA provenance. @see https://slsa.dev/spec/v1.0/provenance */
const statement = z.object({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  predicateType: z.literal('https://slsa.dev/provenance/v1'),
  subject: z.array(z.object({ digest: z.object({ sha256: z.string().optional() }) })),
  predicate: z.object({
    runDetails: z.object({
      builder: z.object({ id: z.string().regex(/^[!-~]{1,500}$/, 'at most 500 characters without spaces') }),
    }),
  }),
});
/** A DSSE envelope around a statement, as builders publish it. */
const envelope = z.object({ payloadType: z.literal('application/vnd.in-toto+json'), payload: z.string() });
/** The statement itself, its envelope, or a Sigstore bundle with that. */
const provenanceDocument = z.looseObject({ dsseEnvelope: z.unknown().optional() });

/**
 * Who built the software that a plan is proposed for, as the proposal says it. Of the file nothing else leaves than its
 * digest: who wants to check the builder's signature does so with the file, where the builder published it.
 *
 * @param path file of an in-toto statement with SLSA provenance v1, of its DSSE envelope, or of a Sigstore bundle
 * @throws E_ARGUMENT when it is none, or about other software than this version's
 */
export function readProvenance(path: string): NonNullable<BodyOf<'plan.propose'>['provenance']> {
  if (statSync(path).size > MAX_BYTES) throw new RegulonError('E_ARGUMENT', `${path}: larger than 16 MiB`);
  const bytes = readFileSync(path);
  const text = statementIn(bytes.toString('utf8'), path);
  const { subject, predicate } = parseJsonText(text, statement, path, 'E_ARGUMENT');
  const code = DAEMON_CODE.slice('sha256:'.length);
  if (subject.some(({ digest }) => digest.sha256 === code))
    return {
      builder: predicate.runDetails.builder.id,
      subject: DAEMON_CODE,
      statement: digestText(sha256(bytes)),
    };
  throw new RegulonError('E_ARGUMENT', `${path}: the provenance is of other software than this version`, {
    hint: `name a provenance with the subject ${DAEMON_CODE}, the code of this version, or leave --provenance out`,
  });
}

function statementIn(text: string, path: string): string {
  const document = parseJsonText(text, provenanceDocument, path, 'E_ARGUMENT');
  const { data } = envelope.safeParse(document.dsseEnvelope ?? document);
  return data ? Buffer.from(data.payload, 'base64').toString('utf8') : text;
}
