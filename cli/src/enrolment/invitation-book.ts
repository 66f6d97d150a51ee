import { existsSync } from 'node:fs';
import { z } from 'zod';
import { canonicalJson, hex, sha256, utf8 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { readJsonFile } from '../files/index.js';
import { time } from './fields.js';
import { type Invitation, invitationSchema, refused, SKEW_MS, verifyTerm } from './invitation.js';
import { type JoinRequest, verifyJoinRequest } from './join-request.js';
import { writePrivate } from './public-files.js';

const bookSchema = z.strictObject({
  schema: z.literal('regulon.invitations/1'),
  invitations: z.array(
    z.strictObject({
      invitation: invitationSchema,
      /** SHA-256 of the request that used it */
      request: z.string().nullable(),
      usedAt: time.nullable(),
    }),
  ),
});
type Row = z.infer<typeof bookSchema>['invitations'][number];

/** The founder's record of invitations: each works once, and until its end. One file, mode 0600. */
export class InvitationBook {
  /** @param path of the file; absent before the first invitation */
  constructor(private readonly path: string) {}

  /** Every invitation, with what became of it. */
  rows(): readonly Row[] {
    return existsSync(this.path) ? readJsonFile(this.path, bookSchema, 'E_CONFIG').invitations : [];
  }

  /** Keep a new invitation. */
  add(invitation: Invitation): void {
    this.write([...this.rows(), { invitation, request: null, usedAt: null }]);
  }

  /**
   * Use an invitation for a request; the same request may come again.
   *
   * @param now ms since the epoch
   * @throws E_INVITATION when it is unknown, used or expired, or its token did not authenticate the request
   * @throws E_ROSTER when the request is not signed by its keys; E_CLOCK when it comes from the future
   */
  redeem(request: JoinRequest, now: number): void {
    const rows = this.rows();
    const row = rows.find(({ invitation }) => invitation.id === request.invitation);
    const { name } = request.enrolment;
    if (!row) throw refused(name, 'is not one of this federation', 'ask the founder for an invitation');
    verifyJoinRequest(request, row.invitation);
    const digest = hex(sha256(utf8(canonicalJson(request))));
    if (row.request === digest) return;
    if (row.request !== null) {
      const hint = 'an invitation works once: issue a new one, and find out who used this one';
      throw refused(name, `was used at ${row.usedAt}`, hint);
    }
    verifyTerm(row.invitation, now);
    verifySent(request, row.invitation, now);
    row.request = digest;
    row.usedAt = new Date(now).toISOString();
    this.write(rows);
  }

  private write(invitations: readonly Row[]): void {
    writePrivate(this.path, { schema: 'regulon.invitations/1', invitations });
  }
}

/** A request is made after its invitation and before now; else one of the clocks is wrong. */
function verifySent({ at, enrolment }: JoinRequest, { issuedAt }: Invitation, now: number): void {
  const sent = Date.parse(at);
  if (sent >= Date.parse(issuedAt) - SKEW_MS && sent <= now + SKEW_MS) return;
  throw new RegulonError(
    'E_CLOCK',
    `the request of ${enrolment.name} is from ${at}, its invitation from ${issuedAt}, and now is ${new Date(now).toISOString()}`,
    { hint: 'compare the clocks of both machines with a reference; set the wrong one, then join again' },
  );
}
