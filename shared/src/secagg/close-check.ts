import { equalBytes, u32 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { verifyTagged } from './hashing.js';
import { thresholdsOf } from './manifest-checks.js';
import type { SiteId } from './manifest.js';
import type { CohortView } from './r3-survivors.js';
import { memberKey } from './roster.js';
import { byId, type CloseFields, closeTranscript } from './transcript.js';

/** That a site answered R4, without what it answered. */
export interface ShownAnswer {
  readonly id: SiteId;
  /** a_i, 32 bytes */
  readonly digest: Uint8Array;
  /** σ4 */
  readonly sig: Uint8Array;
}

/** A close as it was announced to a site that was in R2. */
export interface AnnouncedClose extends Omit<CloseFields, 'h2' | 'answers'> {
  /** the answers that T covers, in any order */
  readonly answers: readonly ShownAnswer[];
  /** as the coordinator signed it, 32 bytes */
  readonly T: Uint8Array;
}

/**
 * Recompute T of a close from what this site knows: nobody else says what was closed.
 *
 * @param own this site, and a_i of what it answered; absent when it answered nothing
 * @throws E_FORK when T covers something else, or answers that members of U2 did not give
 */
export function verifyClose(
  view: CohortView,
  { h1, h3, answers, aggRoot, modelHash, T }: AnnouncedClose,
  own: { readonly id: SiteId; readonly digest?: Uint8Array | undefined },
): void {
  const refuse = (why: string): never => {
    throw new RegulonError('E_FORK', `round ${view.manifest.round}: ${why}`);
  };
  const { t } = thresholdsOf(view.manifest, view.roster, view.n);
  const ids = new Set(answers.map(({ id }) => id));
  if (ids.size !== answers.length) refuse('an answer counts twice');
  if (answers.length !== t) refuse(`it was closed with ${answers.length} answers, not with ${t}`);
  for (const { id, digest, sig } of answers) {
    if (!view.u2.includes(id)) refuse(`an answer of site ${id}, which is not in U2`);
    const fields = [h3, u32(id), digest];
    if (!verifyTagged({ key: memberKey(view.roster, id), ctx: view.ctx, tag: 'R4', fields, sig }))
      refuse(`the answer of site ${id} is not signed by it over these survivors`);
    if (id === own.id && !(own.digest && equalBytes(digest, own.digest)))
      refuse('it was closed with another answer than this site gave');
  }
  const digests = byId(answers).map(({ digest }) => digest);
  const found = closeTranscript(view.ctx, { h1, h2: view.h2, h3, answers: digests, aggRoot, modelHash });
  if (!equalBytes(found, T))
    refuse('the announced close does not follow from its sets, answers, sum and result');
}
