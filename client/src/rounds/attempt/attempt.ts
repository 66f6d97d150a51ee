import { join } from 'node:path';
import { enc, fromHex, hex } from '@regulon/shared/crypto';
import { isRegulonError } from '@regulon/shared/errors';
import type { ScheduledRound } from '@regulon/shared/program';
import {
  ctxOf,
  decodeManifest,
  decodeMessage,
  encodeManifest,
  encodeMessage,
  type Manifest,
  SecAggClient,
} from '@regulon/shared/secagg';
import { type AttemptFacts, Step } from '../../state/index.js';
import { sendUpdate } from '../../update/index.js';
import { cohortFacts, verifyGroups } from './cohort-facts.js';
import { contributionBody, receiptBody } from './entries.js';
import { factsOf } from './contribution-facts.js';
import { chargeOf, chargeStatement, eventOf } from './charge.js';
import type { Broadcast } from '../errors/refusal-evidence.js';
import { recordAnswer, verifyRelease } from './release.js';
import type { RunSession } from '../run/run-session.js';
import { verifyRested } from './rest.js';
import { storeUpload, type StoredUpload, verifyReceipt, verifyStored, wipeMasks } from './stored-upload.js';
import { untilAborted } from './until-aborted.js';

type Items = readonly { readonly message: Uint8Array }[];

/**
 * One attempt of a round at this site: steps 2 to 6, each persisted before its message leaves.
 *
 * Every step may be called again after a crash or a lost connection: it sends the very same bytes.
 */
export class Attempt {
  readonly ctx: Uint8Array;
  private readonly sent = new Set<string>();
  /** what was fetched last of the others' messages */
  broadcast: Broadcast | undefined;

  private constructor(
    readonly session: RunSession,
    readonly round: ScheduledRound,
    readonly manifest: Manifest,
    readonly signature: Uint8Array,
    readonly client: SecAggClient,
    private step: Step,
    private facts: AttemptFacts,
  ) {
    this.ctx = ctxOf(manifest);
  }

  /**
   * R0: fresh keys for a manifest that was checked against the plan. Durable on return; nothing was sent yet.
   *
   * @throws E_BUDGET when the privacy budget of this site does not hold the round
   */
  static join(
    session: RunSession,
    round: ScheduledRound,
    manifest: Manifest,
    signature: Uint8Array,
    uncounted: readonly number[],
    reopenedFor?: readonly number[],
  ): Attempt {
    const { site } = session;
    // a budget that is spent refuses before anything is trained, or known of this site
    const release = { dataset: site.site.dataset.name, run: session.run, round: round.round };
    site.ledger.verifyAffordable({ ...release, event: eventOf({ session, round, manifest }, 1) });
    const client = SecAggClient.join({
      ...{ manifest, coordinatorSignature: signature, roster: site.federation.rosterView, uncounted },
      minSurvivors: session.agreement.contract.plan.deadlines.minSurvivors ?? 0,
      ...{ id: site.site.own.id, seed: site.keys.identity },
      ...{ allowSubCohorts: site.site.policy.allowSubCohorts, samplers: site.site.samplers },
    });
    const attempt = new Attempt(session, round, manifest, signature, client, Step.joined, {});
    attempt.save(Step.joined, reopenedFor ? { reopenedFor } : {});
    site.crash.reached('r0-persisted', round.round);
    return attempt;
  }

  /** Go on with an attempt after a restart; undefined when this site is not in it or its secrets were wiped. */
  static restore(session: RunSession, round: ScheduledRound, number: number): Attempt | undefined {
    const { site, run } = session;
    const row = site.attempts.find(run, round.round, number);
    if (!row?.snapshot) return undefined;
    const known = { roster: site.federation.rosterView, seed: site.keys.identity };
    const client = SecAggClient.restore(row.snapshot, known);
    const manifest = decodeManifest(row.manifest);
    return new Attempt(session, round, manifest, row.signature, client, row.step, row.facts);
  }

  /** Contributors of this attempt when the administrators reopened a burnt round for it. */
  get reopenedFor(): readonly number[] | undefined {
    return this.facts.reopenedFor;
  }

  /** |U1| once it was shown; h2 and the beginning of the window of R2 once the shares were opened. */
  get opened(): Pick<AttemptFacts, 'u1' | 'h2' | 'uploadStart'> {
    return this.facts;
  }

  /** How far this site is. */
  get reached(): Step {
    return this.step;
  }

  /** After a reconnection every message of the current stage is sent again. */
  resend(): void {
    this.sent.clear();
  }

  /** Send the public keys of R0. */
  async advertise(): Promise<void> {
    const message = encodeMessage('advertise', this.client.advertise());
    await this.once('advertise', () => this.link.exchange({ type: 'advertise', ...this.ref, message }));
  }

  /** R1: deal shares to U1. */
  async share(signal: AbortSignal): Promise<void> {
    await this.started(signal);
    if (this.step < Step.shared) {
      const list = (await this.fetch('advertised')).map((i) => decodeMessage('advertise', i.message));
      this.client.shareKeys(list);
      verifyGroups(this.client.groups(), this.session.agreement.contract.plan, this.round);
      this.facts = { ...this.facts, ...cohortFacts(this.client, this.manifest) };
      this.save(Step.shared, this.facts);
      this.site.crash.reached('r1-persisted', this.round.round);
    }
    const message = encodeMessage('shares', this.client.shareKeys());
    await this.once('shareKeys', () => this.link.exchange({ type: 'shareKeys', ...this.ref, message }));
  }

  /**
   * R2: mask, store, pass the gate, log, upload, commit.
   *
   * @param signal aborts the wait for training, gate and upload when the attempt ends
   * @throws E_GATE, also while `minInterval` is not over; E_SHARE, and what the coordinator refuses
   */
  async contribute(signal: AbortSignal): Promise<void> {
    if (this.step >= Step.committed || this.isLeftOut) return;
    await this.started(signal);
    const { session, round, site } = this;
    if (this.step < Step.contributed) verifyRested(site, { run: session.run, round: round.round });
    if (this.step < Step.masked) await this.openShares();
    const local = await untilAborted(session.work.result(round, this.manifest), signal);
    const known = this.facts.upload;
    const upload = known ? await verifyStored(this, known) : await storeUpload(this, local);
    await session.audits.settled(signal, this.manifest.deadlines[2] ?? 0);
    if (this.step < Step.contributed) await this.logContribution(upload, signal);
    await this.site.drainOutbox();
    // whatever was logged, nothing leaves once a steward has taken it back
    session.verifyConsent();
    const commit = this.client.commit(fromHex(upload.root, 32), upload.length);
    const [ctx, h2] = [this.ctx, fromHex(this.facts.h2 ?? '', 32)];
    const receipt = await sendUpdate(this.link, {
      ...{ ...this.ref, ctx, h2 },
      path: join(session.folder, upload.file),
      commit: encodeMessage('commit', commit),
      signal,
    });
    verifyReceipt(session, receipt, { ctx, h2, root: upload.root });
    this.client.confirmUpload();
    this.save(Step.committed, { ...this.facts, receipt: hex(receipt) });
    this.site.crash.reached('committed', round.round);
  }

  /** R3: sign the survivors. @throws E_U3 when the cohort rule or the protocol refuses them */
  async confirm(signal: AbortSignal): Promise<void> {
    await this.started(signal);
    if (this.step < Step.confirmed) {
      if (this.step < Step.masked) await this.openShares();
      const list = (await this.fetch('survivors')).map((i) => decodeMessage('survivor', i.message));
      const survivors = list.map((s) => s.id);
      verifyRelease(this, survivors);
      this.client.consistency(list);
      this.save(Step.confirmed, { ...this.facts, h3: hex(this.client.h3()) });
      this.site.crash.reached('r3-persisted', this.round.round);
    }
    const message = encodeMessage('consistency', this.client.consistency());
    await this.once('consistency', () => this.link.exchange({ type: 'consistency', ...this.ref, message }));
  }

  /** R4: reveal one share for each member, once. @throws E_U3, E_REPLAY, E_STATE when it was revealed otherwise before */
  async answer(signal: AbortSignal): Promise<void> {
    await this.started(signal);
    if (this.step < Step.answered) {
      const signatures = (await this.fetch('signatures')).map((i) => i.message);
      const answer = this.client.unmask(signatures.map((bytes) => decodeMessage('consistency', bytes)));
      await this.link.exchange({ type: 'putAttachment', bytes: enc(...signatures) });
      const { ctx, client } = this;
      this.save(Step.answered, this.facts, () =>
        recordAnswer(this, { ctx, h3: client.h3(), answer, signatures }),
      );
      this.site.crash.reached('answered', this.round.round);
    }
    await this.site.drainOutbox();
    const message = encodeMessage('answer', this.client.unmask());
    await this.once('unmask', () => this.link.exchange({ type: 'unmask', ...this.ref, message }));
  }

  /** Open what U2 dealt; a bad envelope is proved to the coordinator. */
  private async openShares(): Promise<void> {
    const deliveries = (await this.fetch('deliveries')).map((i) => decodeMessage('delivery', i.message));
    try {
      const { h2, masks } = this.client.maskPlan(deliveries);
      wipeMasks(masks);
      const cbOf = new Map(deliveries.map((d) => [d.from, hex(d.cb)]));
      const peers = this.facts.peers?.flatMap((p) =>
        cbOf.has(p.id) ? [{ ...p, cb: cbOf.get(p.id) ?? '' }] : [],
      );
      const uploadStart = new Date().toISOString();
      // nothing has left yet: the next durable step is the contribution, or the signature of R3
      this.facts = { ...this.facts, h2: hex(h2), uploadStart, ...(peers ? { peers } : {}) };
      this.step = Step.masked;
    } catch (error) {
      const complaint = this.client.complaint();
      if (isRegulonError(error, 'E_SHARE') && complaint) {
        const message = encodeMessage('complaint', complaint);
        await this.link.exchange({ type: 'complaint', ...this.ref, message });
      }
      throw error;
    }
  }

  /** Gate, charge, entry: all durable before the first byte leaves. */
  private async logContribution(upload: StoredUpload, signal: AbortSignal): Promise<void> {
    const { session, round, manifest, site } = this;
    const { run } = session;
    const deadlineMs = manifest.deadlines[2] ?? 0;
    const gate = await site.gate.pass({
      run,
      round: round.round,
      agreement: session.agreement,
      startIndex: site.startIndex(),
      deadlineMs,
      signal,
    });
    session.verifyLogged();
    const place = { run, round: round.round, attempt: manifest.attempt };
    const end = new Date(deadlineMs).toISOString();
    const body = contributionBody(session.agreement, { ...factsOf(this, upload), end, gate });
    const [dataset, event] = [site.site.dataset.name, chargeOf(this)];
    this.save(Step.contributed, { ...this.facts, upload }, () => {
      const { seq } = site.ledger.charge({ dataset, ...place, event });
      const charge = chargeStatement(site.ledger, dataset, seq, event);
      site.outbox.append('round.contribution', place, { ...body, charge });
      site.outbox.append('egress.receipt', place, receiptBody(manifest, { ...body, charge }));
    });
    site.ledger.settle();
    site.crash.reached('contribution-persisted', round.round);
  }

  private save(step: Step, facts: AttemptFacts, also?: () => void): void {
    const { session, round, manifest, signature } = this;
    const row = {
      ...{ run: session.run, round: round.round, attempt: manifest.attempt, step, facts, signature },
      ...{ manifest: encodeManifest(manifest), snapshot: this.client.snapshot() },
    };
    this.site.attempts.save(row, also);
    this.step = step;
    this.facts = facts;
  }

  /** The round was reopened without this site's data: it deals, confirms and answers, but uploads nothing. */
  private get isLeftOut(): boolean {
    const { id } = this.site.site.own;
    return this.reopenedFor?.includes(id) === false && this.round.contributors.includes(id);
  }

  /** Nothing of R1 to R4 leaves before a checkpoint covers the start of this process and the own chain was scanned. */
  private started(signal: AbortSignal): Promise<void> {
    const { log, startIndex } = this.site;
    return log.until(() => (startIndex() ?? Infinity) < log.latest.size, signal);
  }

  private async once(name: string, send: () => Promise<unknown>): Promise<void> {
    if (this.sent.has(name)) return;
    await send();
    this.sent.add(name);
  }

  private async fetch(type: Broadcast['type']): Promise<Items> {
    const items: Items = await this.link.fetch({ type, ...this.ref });
    this.broadcast = { type, messages: items.map(({ message }) => message) };
    return items;
  }

  private get site() {
    return this.session.site;
  }

  private get link() {
    return this.session.site.link;
  }

  private get ref() {
    const { runId, round, attempt } = this.manifest;
    return { run: runId, round, attempt };
  }
}
