import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, equalBytes, fromHex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  parseRunName,
  privacyClaim,
  Purpose,
  RunProgram,
  type ScheduledRound,
} from '@regulon/shared/program';
import { parameterCount } from '@regulon/shared/models';
import type { ValidationFigures } from '@regulon/shared/plan';
import { decodeManifest, MaskEngine } from '@regulon/shared/secagg';
import { type BodyOf, digestText } from '@regulon/shared/transparency';
import {
  type Agreement,
  verifyAgreement,
  verifyLoggedConsent,
  verifyModelSize,
  verifySameData,
} from '../../policy/index.js';
import { type AttemptFacts, type OutcomeRow, removeRunFiles } from '../../state/index.js';
import { verifyUnitSets } from '../../unit-sets/index.js';
import { verifyRunAffordable } from '../attempt/charge.js';
import type { SiteContext } from '../context.js';
import { keepSiteParts } from './keep-site-parts.js';
import { LocalWork, sparePath } from './local-work.js';
import { ModelFiles } from './model-files.js';
import { modelOutOf } from './model-out.js';
import { RunAudits } from '../audits/run-audits.js';

/** One run at this site: what was agreed, how far it is, and the files that belong to it. */
export class RunSession {
  readonly program: RunProgram;
  readonly models: ModelFiles;
  readonly work: LocalWork;
  readonly engine = new MaskEngine();
  /** of the closed rounds; settled before anything masked leaves */
  readonly audits: RunAudits;
  private readonly outcomes: OutcomeRow[];
  /** closed rounds already compared with the log */
  private compared = 0;

  private constructor(
    readonly site: SiteContext,
    readonly run: string,
    readonly agreement: Agreement,
    readonly roundingSecret: Uint8Array,
    readonly folder: string,
  ) {
    this.program = new RunProgram(agreement.contract);
    this.models = new ModelFiles(folder);
    this.audits = new RunAudits(this);
    this.outcomes = site.runs.outcomes(run);
    const { contract } = agreement;
    this.work = new LocalWork(site, {
      ...{ run, folder, contract, roundingSecret, program: this.program },
      modelOf: (arm) => this.modelPath(arm),
    });
  }

  /**
   * Take part in a run, or go on with it after a restart.
   *
   * @throws what `verifyAgreement` finds; E_STATE_DB when its files were damaged
   */
  static async open(site: SiteContext, run: string): Promise<RunSession> {
    const bytes = await contractBytes(site, run);
    const agreement = verifyAgreement(bytes, run, site.federation, site.site, Date.now());
    if (!site.runs.find(run)) {
      verifyConsent(site, run, agreement);
      await verifyUnits(site, run, agreement);
      verifyRunAffordable(agreement.contract, run, site);
      const claim = privacyClaim(agreement.contract.plan);
      site.logger.info({ run, ...claim }, `protected by differential privacy: ${claim.protectedBy}`);
    }
    const secret = site.config.testing?.roundingSecret;
    const row = site.runs.begin(run, bytes, ...(secret ? [Uint8Array.from(Buffer.from(secret, 'hex'))] : []));
    if (!equalBytes(row.contract, bytes)) {
      throw new RegulonError('E_POLICY', `${run}: the contract is not the one that this site accepted`);
    }
    if (row.state !== 'live')
      throw new RegulonError('E_STATE', `${run} has ended at this site (${row.state})`);
    verifySameRoster(site, run);
    const folder = join(site.state.paths.runs, run);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const session = new RunSession(site, run, agreement, row.roundingSecret, folder);
    session.work.warmUp();
    await session.replay();
    return session;
  }

  /**
   * The people still let this run use the data: the steward of this site whatever the log shows, the others by the log.
   *
   * @throws E_POLICY when one of them has taken plan or dataset back
   */
  verifyConsent(): void {
    verifyConsent(this.site, this.run, this.agreement);
  }

  get runId(): Uint8Array {
    return this.agreement.contract.runId;
  }

  /** T of the last closed round; zeros before the first. */
  get lastTranscript(): Uint8Array {
    return this.outcomes.at(-1)?.transcript ?? new Uint8Array(32);
  }

  /** The last closed round, or undefined before the first. */
  get lastOutcome(): OutcomeRow | undefined {
    return this.outcomes.at(-1);
  }

  /** Outcome of a closed round. */
  outcome(round: number): OutcomeRow | undefined {
    return this.outcomes.find((o) => o.round === round);
  }

  /** The round of this number in the schedule. @throws E_REPLAY when the plan has none */
  scheduled(round: number): ScheduledRound {
    const scheduled = this.program.schedule[round];
    if (!scheduled) throw new RegulonError('E_REPLAY', `the plan has no round ${round}`);
    return scheduled;
  }

  /** File with the current weights of an arm. */
  modelPath(arm: number): string {
    return this.models.path(arm, this.program.modelRound(arm));
  }

  /** Derive the initial model of the next round's arm, when it needs one. */
  async ensureModel(): Promise<void> {
    const next = this.program.next();
    if (next?.purpose !== Purpose.train || this.program.model(next.arm)) return;
    verifyModelSize(parameterCount(this.program.weightSpecs(next.arm)), this.site.site);
    const hash = await this.models.initialise(next.arm, this.program.initialModel(next.arm));
    this.program.setInitialModel(next.arm, hash);
  }

  /** Remember what came out of the round that the program has completed; durable on return. @throws E_DISK_FULL */
  record(round: ScheduledRound, outcome: OutcomeRow): void {
    this.site.runs.saveOutcome(this.run, outcome);
    this.outcomes.push(outcome);
    this.site.crash.reached('outcome-persisted', round.round);
    if (round.purpose === Purpose.train) {
      const best = this.program.validation.best(round.arm);
      this.models.prune(round.arm, [round.round, ...(best ? [best.round] : [])]);
    }
    this.work.forget(round.round);
    this.clean(round.round);
  }

  /**
   * Compare closed rounds with what the verified log says of them, as far as it goes.
   *
   * @throws E_FORK when the log closes a round over other survivors, or with another sum or result, than this site was
   * given
   */
  verifyLogged(): void {
    for (const outcome of this.outcomes.slice(this.compared)) {
      const logged = this.site.log.aggregateOf(this.run, outcome.round);
      if (!logged) return;
      const own = this.site.attempts.find(this.run, outcome.round, outcome.attempt)?.facts;
      const figures = this.program.validation.figures(outcome.round);
      const other = differenceOf(logged, outcome, own, figures);
      if (other !== undefined)
        throw new RegulonError(
          'E_FORK',
          `${this.run}: the log closes round ${outcome.round} with another ${other}`,
        );
      this.compared += 1;
    }
  }

  /** Wait until the verified log has the end of every closed round. @throws E_FORK; E_GATE when it does not come */
  async verifyAllLogged(signal: AbortSignal, deadlineMs: number): Promise<void> {
    const late = AbortSignal.timeout(Math.max(0, deadlineMs - Date.now()));
    const isCompared = (): boolean => {
      this.verifyLogged();
      return this.compared === this.outcomes.length;
    };
    try {
      await this.site.log.until(isCompared, AbortSignal.any([signal, late]));
    } catch (error) {
      if (error !== late.reason) throw error;
      throw new RegulonError('E_GATE', `${this.run}: no checkpoint covers the end of its last rounds`);
    }
  }

  /** The run is over at this site: its secrets and files are removed. */
  async end(state: 'finished' | 'failed' | 'refused'): Promise<void> {
    await this.audits.stop();
    await this.work.close();
    await this.site.data.forget();
    if (state === 'finished') keepSiteParts(this.site.state.paths, this.run, this.program);
    this.site.runs.end(this.run, state);
    removeRunFiles(this.site.state.paths, this.run);
  }

  /** Stop without ending: everything stays for the next start. */
  async suspend(): Promise<void> {
    await Promise.all([this.audits.stop(), this.work.close()]);
  }

  private async replay(): Promise<void> {
    for (const outcome of this.outcomes) {
      const round = this.scheduled(outcome.round);
      this.program.complete(round, outcome);
      this.auditAgain(round, outcome);
    }
    for (const { index: arm } of this.program.arms) {
      const kept = this.program.keptModels(arm);
      for (const { round, model } of kept) {
        const parameters = parameterCount(this.program.weightSpecs(arm));
        await this.models.verify(this.models.path(arm, round), model, parameters);
      }
      if (kept.length > 0)
        this.models.prune(
          arm,
          kept.map(({ round }) => round),
        );
    }
    await this.ensureModel();
  }

  /** Take up the audit of a round that closed before a restart, unless it has ended. */
  private auditAgain(round: ScheduledRound, { attempt, aggregateRoot }: OutcomeRow): void {
    const { site, run } = this;
    if (site.outbox.find('round.ack', { run, round: round.round, attempt })) return;
    const own = site.attempts.find(run, round.round, attempt);
    const modelOut = modelOutOf(this.program, round);
    if (!modelOut) throw new RegulonError('E_STATE', `round ${round.round} has left no result at this site`);
    const manifest = own && decodeManifest(own.manifest);
    this.audits.add({ round, attempt, aggregateRoot, modelOut, manifest, own });
  }

  /** Remove what belonged to a closed round; the file of its update is kept for the next one to be written over. */
  private clean(round: number): void {
    if (!existsSync(this.folder)) return;
    const own = new RegExp(`^(delta|values|y|aggregate)-${round}(-\\d+)?\\.`);
    for (const name of readdirSync(this.folder)) {
      if (!own.test(name)) continue;
      const path = join(this.folder, name);
      if (name.startsWith('delta-')) renameSync(path, sparePath(this.folder));
      else rmSync(path, { force: true });
    }
  }
}

/** What the log says otherwise of a closed round than this site was told. */
function differenceOf(
  logged: BodyOf<'round.aggregate'>,
  { transcript, aggregateRoot, groupRoots, survivors, modelHash }: OutcomeRow,
  own: AttemptFacts | undefined,
  figures: ValidationFigures | undefined,
): string | undefined {
  if (logged.transcript !== digestText(transcript)) return 'transcript';
  if (logged.aggregateRoot !== digestText(aggregateRoot)) return 'sum';
  const loggedRoots = (logged.groups ?? []).map((group) => group.aggregateRoot);
  if (groupRoots && loggedRoots.join() !== groupRoots.map(digestText).join()) return 'sum of a group';
  if (canonicalJson(logged.u3) !== canonicalJson(survivors)) return 'set of survivors';
  // with sub-cohorts this site has signed the survivors of its group
  const released = own?.groups ? (logged.groups ?? []).map(({ h3 }) => h3) : [logged.h3];
  if (own?.h3 !== undefined && !released.includes(digestText(fromHex(own.h3, 32)))) return 'set of uploads';
  if (canonicalJson(logged.figures ?? null) !== canonicalJson(figures ?? null)) return 'score';
  return modelHash && logged.modelOut !== digestText(modelHash) ? 'model' : undefined;
}

/** A run that began under a roster ends with it. */
function verifySameRoster(site: SiteContext, run: string): void {
  const manifest = site.attempts.lastShared(run);
  if (!manifest || equalBytes(decodeManifest(manifest).rosterHash, site.federation.rosterView.rosterHash))
    return;
  throw new RegulonError('E_ROSTER', `${run} began under another roster than this site has installed since`, {
    hint: 'propose the plan again: a new run begins under the new roster',
  });
}

async function contractBytes(site: SiteContext, run: string): Promise<Uint8Array> {
  const known = site.runs.find(run);
  if (known) return known.contract;
  const [item] = await site.link.fetch({ type: 'runContract', run: parseRunName(run) });
  if (!item) throw new RegulonError('E_MESSAGE', `the coordinator sent no contract of ${run}`);
  return item.contract;
}

function verifyConsent(site: SiteContext, run: string, agreement: Agreement): void {
  const { planHash, plan } = agreement.contract;
  site.objections.verifyNone(digestText(planHash), plan.dataset.name);
  verifyLoggedConsent(run, agreement, site.log);
}

/** The dataset must serve the plan; what would tell its size is one generic refusal. */
async function verifyUnits(site: SiteContext, run: string, { contract }: Agreement): Promise<void> {
  verifySameData(site.site, (await site.data.describe()).content);
  const most = await site.data.prepare(contract, site.site.own.id);
  if (most > contract.plan.secureAggregation.weightCap) {
    throw new RegulonError(
      'E_POLICY',
      `plan ${contract.plan.name}: secureAggregation.weightCap: it does not fit this site`,
    );
  }
  if (contract.isPublic) return;
  const sets = await site.data.unitSets(contract, site.site.own.id, site.unitKey);
  verifyUnitSets(sets, site.unitSets.answered(run));
  site.unitSets.save(run, sets);
}
