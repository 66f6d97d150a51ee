import { rootOfBytes } from '../crypto/index.js';
import { hashOfAnswer } from '../secagg/index.js';
import type { AttemptState } from '../secagg/secagg.support.js';
import {
  type BodyOf,
  digestText,
  encodeConsistencySignatures,
  encodeRoundEvidence,
  MediaType,
  roundEvidenceOf,
  SECURE_AGGREGATION,
} from '../transparency/index.js';
import type { SampleLog } from './sample-log.js';
import { sample, sampleCommitment, samplePolicy } from './sample-options.js';

/** What a site says before its commit. @param facts digest texts, and the index of run.start */
export function contributionBody(
  { server, uploads }: AttemptState,
  id: number,
  facts: {
    readonly context: string;
    readonly modelIn: string;
    readonly specification: string;
    readonly gate: { readonly size: number; readonly root: string };
    /** of a private run */
    readonly charge?: BodyOf<'round.contribution'>['charge'];
  },
): BodyOf<'round.contribution'> {
  const upload = uploads.get(id) ?? new Uint8Array(0);
  const name = `site-${id}`;
  const at = '2026-11-20T10:00:00.000Z';
  const { code, dataset } = sample;
  return {
    ...{ context: facts.context, role: 'contributor', modelIn: facts.modelIn, code, daemon: '0.1.0' },
    ...{ policy: samplePolicy(name), dataset, datasetVersion: 1, commitment: sampleCommitment(name) },
    ...{ featureSpecification: facts.specification, cohort: digestText(server.h2) },
    maskedInput: {
      length: (upload.length * 8) / server.manifest.ringBits,
      root: digestText(rootOfBytes(upload)),
    },
    ...{ charge: facts.charge ?? null, sampler: facts.charge === undefined ? null : 'float64-rounded/2' },
    ...{ cached: null, band: '100-199', window: { start: at, end: at } },
    ...{ gate: facts.gate, attestation: null },
  };
}

/** What a site says leaves it with a contribution. */
export function receiptBody(
  { server }: AttemptState,
  { context, policy, charge, maskedInput }: BodyOf<'round.contribution'>,
): BodyOf<'egress.receipt'> {
  return {
    ...{ context, kind: SECURE_AGGREGATION, rule: policy, charge: charge?.ledgerSeq ?? null, count: 1 },
    bytes: (maskedInput.length * server.manifest.ringBits) / 8,
    digest: maskedInput.root,
  };
}

/** What a site says when it answers. */
export function unmaskBody(
  { server, clients }: AttemptState,
  id: number,
  context: string,
  log: SampleLog,
): BodyOf<'round.unmask'> {
  const answer = clients.get(id)?.unmask(server.signatures());
  const signatures = encodeConsistencySignatures(server.signatures());
  return {
    ...{ context, consistency: digestText(server.h3), survivors: server.u3, dropped: server.dropped },
    ...{ selfMask: server.u3, maskKey: server.dropped },
    answer: digestText(hashOfAnswer(server.ctx, server.h3, answer?.entries ?? [])),
    signatures: log.attach(signatures, MediaType.consistencySignatures),
  };
}

/** Evidence of a closed attempt. @param answered sites that answered @param responders whose answers T covers */
export function evidenceBytes(
  { server, clients, uploads }: AttemptState,
  answered: readonly number[],
  responders: readonly number[],
): Uint8Array {
  const keys = server.closeU1();
  const length = server.manifest.d + 1 + server.manifest.extras.length;
  const rootOf = (id: number): Uint8Array => rootOfBytes(uploads.get(id) ?? new Uint8Array(0));
  const evidence = roundEvidenceOf({
    advertised: keys,
    shares: server.u2.flatMap((id) => clients.get(id)?.shareKeys(keys) ?? []),
    commits: server.u3.flatMap((id) => clients.get(id)?.commit(rootOf(id), length) ?? []),
    consistency: server.signatures(),
    answers: answered.flatMap((id) => clients.get(id)?.unmask(server.signatures()) ?? []),
    responders,
  });
  return encodeRoundEvidence(evidence);
}
