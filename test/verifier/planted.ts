import { canonicalJsonBytes, utf8 } from '@regulon/shared/crypto';
import {
  type ActorType,
  assembleEntry,
  type BodyOf,
  type Kind,
  parseEntry,
  signPayload,
} from '@regulon/shared/transparency';
import { type SampleLog, sampleRun } from '@regulon/shared/transparency-samples';
import { type Case, caseOf, changed, other, rewritten, run, withFiles } from './cases.js';

const cosigned = { gateMode: 'cosigned' } as const;

/** Sign an entry anew with other keys, and all of the log above it: the tree holds, the signature does not. */
const signedBy =
  (kind: Kind, signers: readonly (readonly [ActorType, string])[], fields: Record<string, unknown> = {}) =>
  (log: SampleLog): void => {
    const at = log.entries.findIndex((bytes) => parseEntry(bytes).kind === kind);
    const { sigs, ...entry } = parseEntry(log.entries[at] ?? new Uint8Array(0));
    const payload = canonicalJsonBytes({ ...entry, body: { ...entry.body, ...fields } });
    log.entries[at] = assembleEntry(
      payload,
      signers
        .slice(0, sigs.length)
        .map(([type, id]) => signPayload(payload, log.federation.signer(type, id))),
    );
  };

/** Add members to the body of the nth entry of a kind; the tree is built over it, no signature is. */
const withMembers =
  (kind: Kind, nth: number, members: Record<string, unknown>) =>
  (log: SampleLog): void => {
    const of = log.entries.flatMap((bytes, at) => (parseEntry(bytes).kind === kind ? [at] : []));
    const at = of[nth] ?? -1;
    const entry = parseEntry(log.entries[at] ?? new Uint8Array(0));
    log.entries[at] = canonicalJsonBytes({ ...entry, body: { ...entry.body, ...members } });
  };

/** The first approval of the sample run, as its steward wrote it. */
function firstApproval(): BodyOf<'plan.approve'> {
  for (const bytes of sampleRun().entries) {
    const entry = parseEntry(bytes);
    if (entry.kind === 'plan.approve') return entry.body;
  }
  throw new Error('the sample run has no approval');
}

const everyone: readonly (readonly [ActorType, string])[] = [
  ['coordinator', 'coordinator'],
  ...[1, 2, 3, 4, 5].map((id) => ['site', `site-${id}`] as const),
];

/** Attacks that take more than a changed field, each planted with the rest of the log made to fit it. */
export const planted: Readonly<Record<string, () => Case>> = {
  'a log cut at its end, beside the checkpoint of a site': () => {
    const log = sampleRun();
    const kept = log.note();
    log.entries.pop();
    return { ...caseOf(log), siteCheckpoints: [kept] };
  },
  'a log without its entries': withFiles((files) => void files.delete('tile/entries/000.p/68')),
  'an entry of a site that another site signed': rewritten(
    signedBy('round.contribution', [['site', 'site-2']]),
    cosigned,
  ),
  'an approval that the researcher signed': rewritten(signedBy('plan.approve', [['researcher', 'r1']])),
  'a metric of one site': rewritten(withMembers('round.ack', 2, { accuracy: '0.93' })),
  'an approval after the start': run({
    omit: (kind, seen) => kind === 'plan.approve' && seen === 0,
    before: (kind, seen) =>
      kind === 'round.open' && seen === 0
        ? { site: 'site-1', kind: 'plan.approve', body: firstApproval() }
        : undefined,
  }),
  'a policy swapped in the bundle': withFiles(
    (files, log) => files.set('quorum.policy', utf8(log.policy.replace('group sites 4', 'group sites 1'))),
    cosigned,
  ),
  'a quorum below the formula': rewritten(signedBy('federation.genesis', everyone, { colluders: 0 })),
  'fewer survivors than took part': changed('round.aggregate', { u3: [1, 2] }, 1),
  'another list of survivors confirmed': changed('round.aggregate', { h3: other }, 1),
};

/** Texts and counts that may not stand in the log; the second verifier judges the names of members alone. */
export const told: Readonly<Record<string, () => Case>> = {
  'a count of seven in place of a band': rewritten(withMembers('round.contribution', 4, { band: '7' })),
  'an e-mail address in a text': changed('plan.approve', { conditions: ['ask jane.doe@hospital.example'] }),
  'a sample barcode in a text': changed('plan.approve', { conditions: ['made from TCGA-A1-A0SB'] }),
};
