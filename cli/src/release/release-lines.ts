import {
  type AttackReport,
  digestText,
  NOT_PROTECTED,
  parseAttackReport,
  type ReleaseDocument,
  releasePayload,
} from '@regulon/shared/transparency';
import { sha256 } from '@regulon/shared/crypto';
import { shown } from '../enrolment/index.js';

/** Digest of what stewards sign. */
export const digestOfRelease = (document: ReleaseDocument): string =>
  digestText(sha256(releasePayload(document, document.body)));

/** The attack reports of a document, each by its digest. */
export function reportsOf({ reports }: ReleaseDocument): Map<string, Uint8Array> {
  const bytes = reports.map((text) => new Uint8Array(Buffer.from(text, 'base64')));
  return new Map(bytes.map((report) => [digestText(sha256(report)), report]));
}

/** What somebody signs, read back from its bytes: what leaves, from where, for what, what protects it, what was tested. */
export function releaseLines(document: ReleaseDocument): string[] {
  const { run, body } = document;
  const reports = reportsOf(document);
  return [
    'release of a model: it leaves the federation, and nobody can take it back',
    `1  model     ${body.model}, arm ${body.arm} of ${run}`,
    `   file      ${body.file.digest}, ${body.format}, ${body.file.size} bytes`,
    `2  use       ${shown(body.intendedUse)}`,
    '3  privacy',
    ...guaranteeLines(body.privacy).map((line) => `   ${line}`),
    '4  attacks on this very model',
    ...body.tests.flatMap(({ site, report }) => testLines(site, reports.get(report.digest))),
    ...(body.tests.length === 0 ? ['   none'] : []),
    `5  approved by ${body.approvals.map(({ site }) => site).join(', ') || 'nobody yet'}`,
  ];
}

/** What protects the patients in a released model, in words. */
export function guaranteeLines(privacy: ReleaseDocument['body']['privacy']): string[] {
  if (privacy === NOT_PROTECTED)
    return ['NOT protected by differential privacy: the model may tell whether a patient was in it'];
  const sites = privacy.sites.map(({ site, epsilon, delta }) => `${site}: ε = ${epsilon} at δ = ${delta}`);
  return [
    `each ${privacy.unit} (${privacy.adjacency}), in total over the runs on the dataset up to this one:`,
    ...sites,
  ];
}

function testLines(site: string, bytes: Uint8Array | undefined): string[] {
  if (bytes === undefined) return [`   ${site}: the report is not in the document`];
  const { members, others, attacks }: AttackReport = parseAttackReport(bytes);
  return attacks.flatMap(({ attack, area, curve }) => [
    `   ${site}: ${attack}, ${members} members against ${others} others, area under the curve ${area}`,
    ...curve
      .filter(({ falsePositives }) => falsePositives === '0.001' || falsePositives === '0.01')
      .map(
        ({ falsePositives, found, error, bound }) =>
          `     at ${100 * Number(falsePositives)} % of the others: ${found} of the members found (± ${error}), ${bound === null ? 'bounded by nothing' : `bound ${bound}`}`,
      ),
  ]);
}
