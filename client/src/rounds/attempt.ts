import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { enc, fromHex, hex, sha256, u32, verifyEd25519 } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { specificationDigest } from '@regulon/shared/genomics';
import type { ScheduledRound } from '@regulon/shared/program';
import {
  contributorsOf,
  ctxOf,
  decodeManifest,
  decodeMessage,
  encodeManifest,
  encodeMessage,
  hashOfAnswer,
  type Manifest,
  roundingKey,
  SecAggClient,
  type UnmaskAnswer,
} from '@regulon/shared/secagg';
import { attachmentOf, digestText, MediaType } from '@regulon/shared/transparency';
import { verifyCohort } from '../policy/index.js';
import { type AttemptFacts, Step } from '../state/index.js';
import { prepareUpdate, rootOfFile, sendUpdate } from '../update/index.js';
import { contributionBody } from './entries.js';
import type { RunSession } from './run-session.js';

type Items = readonly { readonly message: Uint8Array }[];

/**
 * One attempt of a round at this site: steps 2 to 6, each persisted before its message leaves.
 *
 * Every step may be called again after a crash or a lost connection: it sends the very same bytes.
 */
export class Attempt {
  readonly ctx: Uint8Array;
  private readonly sent = new Set<string>();

  private constructor(
    private readonly session: RunSession,
    readonly round: ScheduledRound,
    readonly manifest: Manifest,
    private readonly signature: Uint8Array,
    private readonly client: SecAggClient,
    private step: Step,
    private facts: AttemptFacts,
  ) {
    this.ctx = ctxOf(manifest);
  }

  /** R0: fresh keys for a manifest that was checked against the plan. Durable on return; nothing was sent yet. */
  static join(
    session: RunSession,
    round: ScheduledRound,
    manifest: Manifest,
    signature: Uint8Array,
    uncounted: readonly number[],
  ): Attempt {
    const { site } = session;
    const client = SecAggClient.join({
      ...{ manifest, coordinatorSignature: signature, roster: site.federation.rosterView, uncounted },
      ...{ id: site.site.own.id, seed: site.keys.identity },
    });
    const attempt = new Attempt(session, round, manifest, signature, client, Step.joined, {});
    attempt.save(Step.joined, {});
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
    return new Attempt(
      session,
      round,
      decodeManifest(row.manifest),
      row.signature,
      client,
      row.step,
      row.facts,
    );
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
      this.facts = { ...this.facts, peers: list.map((k) => ({ id: k.id, sPk: hex(k.sPk), cb: '' })) };
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
   * @throws E_GATE, E_SHARE, and what the coordinator refuses
   */
  async contribute(signal: AbortSignal): Promise<void> {
    if (this.step >= Step.committed) return;
    await this.started(signal);
    const { session, round } = this;
    if (this.step < Step.masked) await this.openShares();
    const local = await untilAborted(session.work.result(round, this.manifest), signal);
    const upload = await this.storedVector(local);
    await untilAborted(session.audit, signal);
    if (this.step < Step.contributed) await this.logContribution(upload, signal);
    await this.site.drainOutbox();
    const commit = this.client.commit(fromHex(upload.root, 32), upload.length);
    const receipt = await sendUpdate(this.link, {
      ...this.ref,
      ctx: this.ctx,
      h2: fromHex(this.facts.h2 ?? '', 32),
      path: join(session.folder, upload.file),
      commit: encodeMessage('commit', commit),
      signal,
    });
    this.verifyReceipt(receipt, upload.root);
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
      this.verifyRelease(list.map((s) => s.id));
      this.client.consistency(list);
      this.save(Step.confirmed, this.facts);
      this.site.crash.reached('r3-persisted', this.round.round);
    }
    const message = encodeMessage('consistency', this.client.consistency());
    await this.once('consistency', () => this.link.exchange({ type: 'consistency', ...this.ref, message }));
  }

  /** R4: reveal one share for each member, once. */
  async answer(): Promise<void> {
    if (this.step < Step.answered) {
      const items = await this.fetch('signatures');
      const answer = this.client.unmask(items.map((i) => decodeMessage('consistency', i.message)));
      const signatures = enc(...items.map((i) => i.message));
      await this.link.exchange({ type: 'putAttachment', bytes: signatures });
      this.persistAnswer(answer, signatures);
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
      const { h2 } = this.client.maskPlan(deliveries);
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

  /** The masked vector of this attempt on disk: written once, checked after a restart, never another one. */
  private async storedVector(
    local: Awaited<ReturnType<RunSession['work']['result']>>,
  ): Promise<NonNullable<AttemptFacts['upload']>> {
    const { session, round, manifest } = this;
    const known = this.facts.upload;
    const file = known?.file ?? `y-${round.round}-${manifest.attempt}.bin`;
    const path = join(session.folder, file);
    if (known) {
      const size = (known.length * manifest.ringBits) / 8;
      const root = existsSync(path) ? hex(await rootOfFile(path, size)) : undefined;
      if (root === known.root) return known;
      throw new RegulonError(
        'E_STATE_DB',
        'the stored upload of this round is damaged; this site sits the round out',
      );
    }
    const prepared = await prepareUpdate({
      ...{ manifest, path, contribution: local.contribution, weight: local.weight, extras: local.extras },
      roundingKey: roundingKey(session.roundingSecret, session.runId, round.round, round.arm),
      masks: this.client.maskPlan().masks,
      engine: session.engine,
    });
    if (prepared.exceeded) this.warnFault();
    const upload = { root: hex(prepared.root), length: prepared.length, file };
    this.client.commit(prepared.root, prepared.length);
    this.site.crash.reached('y-written', round.round);
    return upload;
  }

  /** Gate, charge, entry: all durable before the first byte leaves. */
  private async logContribution(
    upload: NonNullable<AttemptFacts['upload']>,
    signal: AbortSignal,
  ): Promise<void> {
    const { session, round, manifest, site } = this;
    const { run } = session;
    const deadlineMs = manifest.deadlines[2] ?? 0;
    const gate = await site.gate.pass({
      run,
      round: round.round,
      startIndex: site.startIndex(),
      deadlineMs,
      signal,
    });
    session.verifyLogged();
    const place = { run, round: round.round, attempt: manifest.attempt };
    const body = contributionBody(session.agreement, {
      ctx: this.ctx,
      silent: round.silent.includes(site.site.own.id),
      modelHash: manifest.modelHash,
      featureSpecification: specificationDigest(session.program.specification(round.arm)),
      h2: fromHex(this.facts.h2 ?? '', 32),
      length: upload.length,
      root: fromHex(upload.root, 32),
      units: site.site.units,
      start: this.facts.uploadStart ?? new Date().toISOString(),
      end: new Date(deadlineMs).toISOString(),
      gate,
    });
    const event = { mechanism: 'none', purpose: round.purpose, step: round.stepId };
    this.save(Step.contributed, { ...this.facts, upload }, () => {
      site.ledger.charge({ dataset: site.site.dataset.name, ...place, event });
      site.outbox.append('round.contribution', place, body);
    });
    site.crash.reached('contribution-persisted', round.round);
  }

  private verifyRelease(survivors: readonly number[]): void {
    const { session, round, manifest, site } = this;
    const { contract } = session.agreement;
    const contributors = contributorsOf(manifest);
    const cohort = survivors.filter((id) => contributors.has(id)).sort((a, b) => a - b);
    const release = { contract, run: session.run, round, cohort, modelHash: hex(manifest.modelHash) };
    verifyCohort(release, site.answered.exact(), site.site.policy.stableCohort);
  }

  private persistAnswer(answer: UnmaskAnswer, signatures: Uint8Array): void {
    const { session, round, manifest, client, site } = this;
    const { contract } = session.agreement;
    const place = { run: session.run, round: round.round, attempt: manifest.attempt };
    const about = (kind: 0 | 1): number[] =>
      answer.entries.filter((e) => e.kind === kind).map((e) => e.about);
    const [u3, dropped] = [about(0), about(1)];
    const contributors = contributorsOf(manifest);
    const row = {
      ...place,
      ...{ purpose: round.purpose, stepId: round.stepId, arm: round.arm, iteration: round.iteration },
      ...{ modelHash: hex(manifest.modelHash), planHash: hex(manifest.planHash), h3: client.h3() },
      ...{ cohort: u3.filter((id) => contributors.has(id)), relaxed: contract.isPublic },
      answer: encodeMessage('answer', answer),
    };
    this.save(Step.answered, this.facts, () => {
      site.answered.insert(row, site.site.policy.leaveSiteOut === 'exact' && contract.isPublic);
      site.outbox.append('round.unmask', place, {
        ...{ context: digestText(this.ctx), consistency: digestText(client.h3()) },
        ...{ survivors: u3, dropped, selfMask: u3, maskKey: dropped },
        answer: digestText(hashOfAnswer(this.ctx, client.h3(), answer.entries)),
        signatures: attachmentOf(signatures, MediaType.consistencySignatures),
      });
    });
  }

  /** @throws E_UPLOAD when the receipt is not the coordinator's signature over this upload */
  private verifyReceipt(receipt: Uint8Array, root: string): void {
    const h2 = fromHex(this.facts.h2 ?? '', 32);
    const signed = sha256(
      enc('regulon/secagg/v1/RCPT', this.ctx, h2, u32(this.site.site.own.id), fromHex(root, 32)),
    );
    if (verifyEd25519(this.site.federation.rosterView.coordinatorKey, signed, receipt)) return;
    throw new RegulonError('E_UPLOAD', 'the receipt of the upload is not signed by the coordinator', {
      retryable: false,
    });
  }

  private warnFault(): void {
    const { round } = this;
    this.site.logger.warn(
      { run: this.session.run, round: round.round, code: 'E_FAULT' },
      `round ${round.round} (${round.stepId}): a value of this site exceeds the bound that the plan declares; ` +
        'next: tell the researcher to raise secureAggregation.clipNorm or weightCap',
    );
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

  private fetch(type: 'advertised' | 'deliveries' | 'survivors' | 'signatures'): Promise<Items> {
    return this.link.fetch({ type, ...this.ref });
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

/** Wait for something, but no longer than the attempt lives. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}
