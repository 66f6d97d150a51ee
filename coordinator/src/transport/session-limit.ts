import type { SiteId } from './ports.js';
import { siteOfCertificate, type Member } from './site-identity.js';
import type { ServerSession } from './tls.js';

/** sessions beyond one a member: reconnects before the old end is noticed, and the self-test */
const SPARE_SESSIONS = 8;
const SESSIONS_PER_SITE = 2;

/** Bounds the window memory of the bulk server: two connections a member, roster size + 8 in all. */
export class SessionLimit {
  private readonly bySite = new Map<SiteId, ServerSession[]>();
  private count = 0;

  constructor(private readonly members: readonly Member[]) {}

  /** Let a session in, at the cost of the site's oldest one when it has too many. */
  admit(session: ServerSession): void {
    if (this.count >= this.members.length + SPARE_SESSIONS) return session.destroy();
    this.count++;
    const site = this.siteOf(session);
    const open = site === undefined ? [] : (this.bySite.get(site) ?? []);
    open.push(session);
    if (site !== undefined) this.bySite.set(site, open);
    session.once('close', () => {
      this.count--;
      const at = open.indexOf(session);
      if (at >= 0) open.splice(at, 1);
    });
    // it leaves the list at once: its end is told later, and the next one must not be taken for it
    if (site !== undefined && open.length > SESSIONS_PER_SITE) open.shift()?.destroy();
  }

  /** The open sessions of a member, oldest first. */
  sessionsOf(site: SiteId): readonly ServerSession[] {
    return this.bySite.get(site) ?? [];
  }

  /** undefined for a certificate that is nobody's: its calls are refused one by one, with a reason */
  private siteOf(session: ServerSession): SiteId | undefined {
    try {
      return siteOfCertificate(session.socket.getPeerCertificate?.().subjectaltname, this.members);
    } catch {
      return undefined;
    }
  }
}
