import { specificationDigest } from '@regulon/shared/genomics';
import { isRobust, type Roster } from '@regulon/shared/plan';
import {
  contractOf,
  decodeContractFile,
  encodeEvaluation,
  parseRunName,
  Purpose,
  RunProgram,
  type ScheduledRound,
  weightOf,
} from '@regulon/shared/program';
import { type Manifest } from '@regulon/shared/secagg';
import { completeRound, emptyVector, initialWeights, putExtras, sumVector } from '../round-vectors.js';
import { toyUnits } from '../toy-units.js';
import type { AttemptRef, SiteLink } from './site-link.js';

/**
 * The program of one run at a simulated site, and its models.
 *
 * Its training moves weight k by (id·(k+1) mod 7 − 3) / 100, so that a test can recompute the model.
 */
export class SiteProgram {
  private readonly models = new Map<number, Float32Array>();

  private constructor(
    private readonly link: SiteLink,
    private readonly run: Uint8Array,
    /** number of the site's units */
    private readonly units: number,
    private readonly program: RunProgram,
  ) {}

  /** Fetch the contract of a run. */
  static async open(link: SiteLink, roster: Roster, run: Uint8Array, units: number): Promise<SiteProgram> {
    const [item] = await link.fetch({ type: 'runContract', run });
    if (!item) throw new Error('no contract');
    const { run: name, plan, isPublic, panel } = decodeContractFile(item.contract);
    const digest = Uint8Array.from(Buffer.from(panel.digest, 'hex'));
    const contract = contractOf({
      ...{ runId: parseRunName(name), plan, roster, isPublic },
      panel: { digest, size: panel.size },
    });
    return new SiteProgram(link, run, units, new RunProgram(contract));
  }

  /** What the manifest of a round must say, after all rounds before it. */
  async expected(round: number, offered: Manifest): Promise<Manifest> {
    await this.advanceTo(round);
    return this.program.manifest(this.scheduled(round), offered);
  }

  /** Digest of the feature specification of an arm, as it is now. */
  specificationDigest(arm: number): Uint8Array {
    return specificationDigest(this.program.specification(arm));
  }

  /** The vector of the site in a round, before it is masked. */
  vectorOf(number: number, manifest: Manifest): Uint8Array {
    const { program, units } = this;
    const { site } = this.link;
    const round = this.scheduled(number);
    if (round.silent.includes(site)) return emptyVector(manifest);
    if (round.purpose === Purpose.statistics) {
      const view = toyUnits(site, units, program.contract.panel.size);
      const values = program.step(round).local(view, program.specification(round.arm));
      return sumVector(program, round, manifest, values);
    }
    if (round.purpose === Purpose.evaluation) {
      const score = { count: 5, lossSum: 1, confusion: [2, 1, 0, 2] };
      return sumVector(program, round, manifest, encodeEvaluation(program.contract, site, score));
    }
    return this.updateOf(round, manifest);
  }

  private updateOf(round: ScheduledRound, manifest: Manifest): Uint8Array {
    const { units } = this;
    const vector = emptyVector(manifest);
    const words = new Int32Array(vector.buffer, 0, manifest.d);
    const weight = weightOf(units, manifest.weightCap);
    for (let k = 0; k < words.length; k++) {
      const delta = (((this.link.site * (k + 1)) % 7) - 3) / 100;
      words[k] = Math.floor(((weight * delta) / manifest.C) * manifest.Q);
    }
    const extras = { weight, fault: 0, loss: units / 2, correct: units / 4, count: units };
    putExtras(vector, this.program, round, manifest, extras);
    return vector;
  }

  private scheduled(round: number): ScheduledRound {
    const scheduled = this.program.schedule[round];
    if (!scheduled) throw new Error(`the plan has no round ${round}`);
    return scheduled;
  }

  private async advanceTo(round: number): Promise<void> {
    const { program } = this;
    for (let next = program.next(); next && next.round < round; next = program.next())
      await this.complete(next);
    const due = program.next();
    if (due?.purpose === Purpose.train) this.weightsOf(due.arm);
  }

  private async complete(round: ScheduledRound): Promise<void> {
    const items = await this.link.fetch({ type: 'closed', run: this.run, round: round.round });
    const close = items.findLast((item) => item.outcome === 'closed');
    if (!close) throw new Error(`round ${round.round} has not closed`);
    const words = await this.link.download(close.aggregateRoot);
    const ref: AttemptRef = { run: this.run, round: round.round, attempt: close.attempt };
    const survivors = (await this.link.messages('survivors', ref)).map(({ id }) => id);
    const isCompared = round.purpose === Purpose.train && isRobust(this.program.contract.plan);
    const roots = isCompared ? close.groupRoots : [];
    const groups = await Promise.all(roots.map((root) => this.link.download(root)));
    const sums = { words, groups, survivors };
    const model = completeRound(this.program, round, sums, () => this.weightsOf(round.arm));
    if (model && Buffer.compare(model, close.modelHash) !== 0) throw new Error('another model');
  }

  /** Current weights of an arm. */
  weightsOf(arm: number): Float32Array {
    const weights = this.models.get(arm) ?? initialWeights(this.program, arm);
    this.models.set(arm, weights);
    return weights;
  }
}
