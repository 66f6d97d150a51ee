import { z } from 'zod';
import { concatBytes, equalBytes, MerkleHasher } from '../../crypto/index.js';
import { refusalOf } from '../../errors/index.js';
import { combinationOf } from '../../plan/index.js';
import { ceilingOf, decodeExtras, serverStepOf, type StepTerms, tileTestOf } from '../../program/index.js';
import { decodeSigned32, kappa, type Manifest, TILE_BYTES, unpackIntegers } from '../../secagg/index.js';
import { digestBytes } from '../entries/fields.js';
import type { ApprovedRun } from './approval-rows.js';
import { partOfPlan } from './attached-plan.js';
import { rosterViewAt, type VerifyContext } from './context.js';
import type { Level2Count } from './level-2.js';
import type { ClosedRound } from './opened-rounds.js';
import type { MaskedVector } from './replay.js';

/** A sum or a model as the coordinator kept it, by its digest of 32 bytes; undefined when it was not kept. */
export type KeptBlobs = (digest: Uint8Array) => MaskedVector | undefined;

const number = z.string().transform(Number);
/** What of an attached plan says how a model follows from the sums; its numbers are decimal strings. */
const steppingPlan = z.object({
  task: z.string().optional(),
  privacy: z.unknown().optional(),
  training: z.object({ strategy: z.string().optional() }).optional(),
  model: z.object({ blocks: z.array(z.object({ owners: z.unknown().optional() })) }).optional(),
  secureAggregation: z
    .object({
      combine: z.enum(['mean', 'median', 'trimmed-mean']).optional(),
      trim: number.optional(),
      tileFactor: number.optional(),
    })
    .default({}),
});
type SteppingPlan = z.infer<typeof steppingPlan>;

/** The files of a training round: the model that it began from, the sum of all, and of each group. */
interface KeptRound {
  readonly model: MaskedVector;
  readonly whole: MaskedVector;
  readonly groups: readonly MaskedVector[];
}

/**
 * Row S3, beside the sums themselves: the model of each closed training round once more from the sums and the model before
 * it, with what the coordinator had to look at on the way: the ceiling, and the tiles that stand out.
 *
 * @param count to which each training round is added: as derived, or with the reason why it is not
 */
export function deriveModels(
  context: VerifyContext,
  rounds: readonly ClosedRound[],
  approved: ApprovedRun | undefined,
  keptOf: KeptBlobs,
  count: Pick<Level2Count, 'derived' | 'underived'>,
): void {
  const plan = approved && partOfPlan(context, approved, steppingPlan);
  /** energies of the closed rounds of each arm; null once one of them could not be judged */
  const earlier = new Map<number, number[][] | null>();
  for (const round of rounds) {
    const { manifest } = round;
    if (manifest.purpose !== 0) continue;
    if (!plan) {
      count.underived.unread += 1;
      continue;
    }
    const energies = earlier.get(manifest.arm) ?? (earlier.has(manifest.arm) ? null : []);
    const kept = filesOf(round, keptOf);
    const { wrong, tiles } = kept ? judge(context, plan, round, kept, energies) : {};
    earlier.set(manifest.arm, energies && tiles ? [...energies, [...tiles]] : null);
    if (!kept) count.underived.lost += 1;
    else if (hasOwnDivisors(plan)) count.underived.divided += 1;
    else count.derived += 1;
    if (wrong !== undefined)
      context.findings.fail('S3', `round ${manifest.round}: ${wrong}`, round.aggregate.index);
  }
}

function filesOf({ manifest, aggregate }: ClosedRound, keptOf: KeptBlobs): KeptRound | undefined {
  const model = keptOf(manifest.modelHash);
  const { aggregateRoot, groups = [] } = aggregate.entry.body;
  const whole = keptOf(digestBytes(aggregateRoot));
  const found = groups.flatMap((group) => keptOf(digestBytes(group.aggregateRoot)) ?? []);
  return model && whole && found.length === groups.length ? { model, whole, groups: found } : undefined;
}

/** Of the sum of all, then of each group. */
const rootsOf = ({ aggregateRoot, groups = [] }: ClosedRound['aggregate']['entry']['body']): Uint8Array[] =>
  [aggregateRoot, ...groups.map((group) => group.aggregateRoot)].map(digestBytes);

interface Judgement {
  /** what differs from the log */
  readonly wrong?: string;
  /** energies of the tiles of the sum, where the plan tests them; else none */
  readonly tiles?: readonly number[];
}

function judge(
  context: VerifyContext,
  plan: SteppingPlan,
  round: ClosedRound,
  kept: KeptRound,
  earlier: readonly (readonly number[])[] | null,
): Judgement {
  const { manifest, aggregate } = round;
  const size = 4 * (manifest.d + 1 + manifest.extras.length);
  if (kept.model.size !== 4 * manifest.d || [kept.whole, ...kept.groups].some((sum) => sum.size !== size))
    return { wrong: 'a kept sum or model has another size' };
  try {
    const terms = termsOf(context, plan, round, kept, earlier ?? []);
    const { roots, modelRoot, measured, next } = stepped(manifest, terms, kept);
    const logged = rootsOf(aggregate.entry.body);
    if (
      !equalBytes(modelRoot, manifest.modelHash) ||
      !equalBytes(concatBytes(...roots), concatBytes(...logged))
    )
      return { wrong: 'a kept sum or model is not the logged one' };
    const { tiles = [] } = measured();
    const follows = hasOwnDivisors(plan) || equalBytes(next, digestBytes(aggregate.entry.body.modelOut));
    return { tiles, ...(follows ? {} : { wrong: 'the logged model does not follow from the sum' }) };
  } catch (error) {
    return { wrong: refusalOf(error).message };
  }
}

/** Coordinates that only some sites, or some units, train have divisors that are not computed here. */
function hasOwnDivisors({ model, task, privacy, training }: SteppingPlan): boolean {
  const isOwned = model?.blocks.some(({ owners }) => owners !== undefined) ?? false;
  return isOwned || (task === 'heads' && privacy === undefined && training?.strategy !== 'fed-sgd');
}

function termsOf(
  { history }: VerifyContext,
  plan: SteppingPlan,
  { manifest, derived, open }: ClosedRound,
  { whole, groups }: KeptRound,
  earlier: readonly (readonly number[])[],
): StepTerms {
  const { N, d, Q, C, z } = manifest;
  const { rule, trim } = combinationOf(plan);
  const { tileFactor } = plan.secureAggregation;
  const shared = { Q, C, tiles: tileTestOf({ tileFactor, sites: N }, earlier) };
  if (rule !== 'mean')
    return { rule, trim, weights: groups.map((sum) => weightOf(manifest, sum)), sites: N, ...shared };
  const noise = z === 0 ? 0 : z * kappa(manifest, rosterViewAt(history, open.index));
  const ceiling = ceilingOf({ survivors: derived.u3.length, C, Q, d, noise });
  return { rule, weight: weightOf(manifest, whole), owned: [], ceiling, ...shared };
}

function weightOf({ d, extras }: Manifest, sum: MaskedVector): number {
  const tail = new Uint8Array(4 * (1 + extras.length));
  sum.read(4 * d, tail);
  return decodeExtras(extras, unpackIntegers(tail, 32)).weight;
}

/** One pass over all files: their roots, and that of the next model. */
function stepped({ d, extras }: Manifest, terms: StepTerms, { model, whole, groups }: KeptRound) {
  const step = serverStepOf(terms);
  const [modelHasher, nextHasher] = [new MerkleHasher(), new MerkleHasher()];
  const sums = [whole, ...groups].map((file) => ({ file, hasher: new MerkleHasher() }));
  for (let at = 0; at < 4 * d; at += TILE_BYTES) {
    const length = Math.min(TILE_BYTES, 4 * d - at);
    const read = (file: MaskedVector, hasher: MerkleHasher): Uint8Array => {
      const tile = new Uint8Array(length);
      file.read(at, tile);
      hasher.update(tile);
      return tile;
    };
    const weights = new Float32Array(read(model, modelHasher).buffer);
    const words = sums.map(({ file, hasher }) => decodeSigned32(read(file, hasher)));
    step.tile(weights, terms.rule === 'mean' ? words.slice(0, 1) : words.slice(1), weights, at / 4);
    nextHasher.update(new Uint8Array(weights.buffer));
  }
  for (const { file, hasher } of sums) {
    const tail = new Uint8Array(4 * (1 + extras.length));
    file.read(4 * d, tail);
    hasher.update(tail);
  }
  const roots = sums.map(({ hasher }) => hasher.root());
  return { roots, modelRoot: modelHasher.root(), next: nextHasher.root(), measured: () => step.finish() };
}
