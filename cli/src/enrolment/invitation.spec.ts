import { createHmac } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { canonicalJson, fromHex, hashJson, hex, utf8 } from '@regulon/shared/crypto';
import { admit } from './founder.js';
import { InvitationBook } from './invitation-book.js';
import { type Invitation, verifyInvitation } from './invitation.js';
import { type JoinRequest, verifyJoinRequest } from './join-request.js';
import { joinSite } from './join-site.js';
import { DAY_MS, Walk } from './walk.support.js';

let root: string;
let walk: Walk;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'regulon-invitation-'));
  walk = new Walk(root);
  await walk.create();
});
afterEach(() => rmSync(root, { recursive: true }));

const coded = (code: string, message: RegExp): object =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as unknown });
const later = (days: number): Date => new Date(walk.now.getTime() + days * DAY_MS);
/** A request with the proof of somebody who holds the token. */
function proved(request: JoinRequest, { token }: Invitation): JoinRequest {
  const { signatures, proof: _, ...unsigned } = request;
  const digest = hashJson('join', utf8(canonicalJson(unsigned)));
  return {
    ...unsigned,
    signatures,
    proof: createHmac('sha256', fromHex(token)).update(digest).digest('hex'),
  };
}

describe('an invitation', () => {
  it('works once; the same request may come again, another one may not', async () => {
    const invitation = walk.invite('north');
    const request = await joinSite(walk.site('north'), invitation, walk.now);
    admit(walk.founder, request, walk.now);
    admit(walk.founder, request, later(30));
    const other = await joinSite(walk.site('elsewhere'), invitation, walk.now);
    expect(() => admit(walk.founder, other, walk.now)).toThrow(coded('E_INVITATION', /of north was used at/));
    expect(new InvitationBook(walk.founder.bookFile).rows()).toHaveLength(1);
    const kept = JSON.parse(readFileSync(join(walk.founder.requests, 'north.json'), 'utf8')) as JoinRequest;
    expect(kept.enrolment.statementKey).toBe(request.enrolment.statementKey);
  });

  it('beside one that was used does not replace the site that was admitted', async () => {
    const [first, second] = [await walk.join('north'), walk.invite('north')];
    admit(walk.founder, first, walk.now);
    const other = await joinSite(walk.site('elsewhere'), second, walk.now);
    expect(() => admit(walk.founder, other, walk.now)).toThrow(coded('E_INVITATION', /was admitted before/));
  });

  it('of a name or a hospital that no roster could hold is refused, and the book stays readable', () => {
    expect(() => walk.invite('ik-260100023')).toThrow(coded('E_LOG_ENTRY', /site holds a long number/));
    const names = ['Bad Name', '', '../x', 'a'.repeat(64)];
    const orgs = ['', ' ', 'a'.repeat(101), 'a\nb', '\u{1b}[31mNorth', '\u{202e}htroN', 'A\u{308}'];
    for (const name of names)
      expect(() => walk.invite(name)).toThrow(coded('E_ARGUMENT', /the invitation: site: /));
    for (const org of orgs)
      expect(() => walk.invite('north', walk.now, org)).toThrow(coded('E_ARGUMENT', /the invitation: org: /));
    expect(new InvitationBook(walk.founder.bookFile).rows()).toEqual([]);
    walk.invite('north', walk.now, 'Universitätsklinikum <Nord> 北');
    expect(new InvitationBook(walk.founder.bookFile).rows()).toHaveLength(1);
  });

  it('is not written for a site that has asked to join', async () => {
    admit(walk.founder, await walk.join('north'), walk.now);
    expect(() => walk.invite('north')).toThrow(coded('E_ARGUMENT', /north has asked to join already/));
  });

  it('ends: at the site nothing is made, at the founder nothing is kept', async () => {
    const invitation = walk.invite('north');
    await expect(joinSite(walk.site('north'), invitation, later(8))).rejects.toThrow(
      coded('E_INVITATION', /expired at .*; the clock of this machine says/),
    );
    expect(existsSync(walk.site('north').root)).toBe(false);
    const request = await joinSite(walk.site('north'), invitation, walk.now);
    expect(() => admit(walk.founder, request, later(8))).toThrow(coded('E_INVITATION', /expired/));
    expect(existsSync(join(walk.founder.requests, 'north.json'))).toBe(false);
  });

  it('of another federation, or one that was changed, is none', async () => {
    const other = new Walk(join(root, 'other'));
    await other.create();
    const request = await other.join('north');
    expect(() => admit(walk.founder, request, walk.now)).toThrow(
      coded('E_INVITATION', /not one of this federation/),
    );
    const invitation = walk.invite('north');
    for (const change of [
      { org: 'Hospital south' },
      { token: '00'.repeat(32) },
      { expiresAt: later(900).toISOString() },
    ])
      expect(() => verifyInvitation({ ...invitation, ...change }, walk.now.getTime())).toThrow(
        coded('E_INVITATION', /was changed after it was signed/),
      );
  });

  it('from tomorrow, and a request from tomorrow, show that a clock is off by a day', async () => {
    const tomorrow = walk.invite('north', later(1));
    await expect(joinSite(walk.site('north'), tomorrow, walk.now)).rejects.toThrow(
      coded('E_CLOCK', /the clock of this machine says/),
    );
    for (const days of [1, -1]) {
      const site = `site-${days + 1}`;
      const request = await joinSite(
        walk.site(site),
        walk.invite(site, later(Math.min(days, 0))),
        later(days),
      );
      const book = (): void => admit(walk.founder, request, days > 0 ? walk.now : later(-3));
      expect(book).toThrow(expect.objectContaining({ code: 'E_CLOCK' }));
    }
  });
});

describe('a request to join', () => {
  it('that was changed on the way is refused, whatever was changed', async () => {
    const request = await walk.join('north');
    const south = await walk.join('south');
    const changes: Partial<JoinRequest>[] = [
      { stewardKey: south.stewardKey },
      { administratorKey: south.administratorKey },
      { enrolment: south.enrolment },
      { enrolment: { ...request.enrolment, csrPem: south.enrolment.csrPem } },
      { invitation: south.invitation },
      { at: later(-0.001).toISOString() },
      { proof: '00'.repeat(32) },
    ];
    for (const change of changes)
      expect(() => admit(walk.founder, { ...request, ...change }, walk.now)).toThrow(
        coded('E_INVITATION', /changed on the way/),
      );
    expect(() => admit(walk.founder, request, walk.now)).not.toThrow();
  });

  it('of somebody who stole the token still needs every key, and each for one role', async () => {
    const invitation = walk.invite('north');
    const request = await joinSite(walk.site('north'), invitation, walk.now);
    const { stewardKey: foreign } = await walk.join('south');
    const small = '01'.padEnd(64, '0');
    const beyond = `ee${'ff'.repeat(30)}7f`;
    const cases: [Partial<JoinRequest>, RegExp][] = [
      [{ stewardKey: small }, /the steward key is no Ed25519 point of large order/],
      [{ administratorKey: beyond }, /the administrator key is no Ed25519 point of large order/],
      [{ enrolment: { ...request.enrolment, cosignerKey: small } }, /the cosigner key is no Ed25519 point/],
      [{ administratorKey: request.stewardKey }, /one key stands in two roles/],
      [{ stewardKey: foreign }, /the identity key did not sign it/],
      [{ enrolment: { ...request.enrolment, name: 'south' } }, /the invitation is for north/],
    ];
    for (const [change, rule] of cases)
      expect(() => verifyJoinRequest(proved({ ...request, ...change }, invitation), invitation)).toThrow(
        coded('E_ROSTER', rule),
      );
    expect(() => verifyJoinRequest(request, invitation)).not.toThrow();
  });

  it('with a malleable signature (S + L) is refused', async () => {
    const invitation = walk.invite('north');
    const request = await joinSite(walk.site('north'), invitation, walk.now);
    const { signatures } = request;
    const steward = malleable(signatures.steward);
    expect(() =>
      verifyJoinRequest({ ...request, signatures: { ...signatures, steward } }, invitation),
    ).toThrow(coded('E_ROSTER', /the steward key did not sign it/));
  });

  it('holds public halves only; the private ones lie in files of mode 0600', async () => {
    const text = JSON.stringify(await walk.join('north'));
    const { state, people } = walk.site('north');
    const files = ['identity', 'cosigner'].map((name) => join(state, 'keys', `${name}.key`));
    files.push(...['steward', 'administrator'].map((role) => join(people, `${role}-north.key`)));
    for (const file of files) {
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(text).not.toContain(readFileSync(file, 'utf8').trim());
    }
  });

  it('never overwrites keys, and uses no folder that others can enter', async () => {
    await walk.join('north');
    await expect(walk.join('north')).rejects.toThrow(coded('E_ARGUMENT', /holds a site already/));
    await walk.join('south');
    chmodSync(walk.site('south').root, 0o755);
    expect(() => walk.site('south').record()).toThrow(coded('E_KEY_FILE', /is open to others/));
    await expect(walk.create()).rejects.toThrow(coded('E_ARGUMENT', /holds a federation already/));
  });
});

/** The same signature with S + L in place of S: valid in the sum, not in RFC 8032. */
function malleable(signature: string): string {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const bytes = fromHex(signature);
  const s = bytes.slice(32).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n) + order;
  const added = Uint8Array.from({ length: 32 }, (_, i) => Number((s >> BigInt(8 * i)) & 0xffn));
  return hex(bytes.slice(0, 32)) + hex(added);
}
