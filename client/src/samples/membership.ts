import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { decimalOf } from '@regulon/shared/plan';
import {
  areaUnder,
  foundAt,
  type MembershipScores,
  mostFound,
  privacyEventsOf,
} from '@regulon/shared/privacy';
import { armsOf, trainingEvent } from '@regulon/shared/program';
import {
  type AttackFindings,
  type AttackResult,
  bandOf,
  ERROR_PARTS,
  errorOfShare,
  FALSE_POSITIVE_RATES,
  LEAST_OF_BAND,
  LEAST_TESTED,
  SHARE_PARTS,
} from '@regulon/shared/transparency';
import { readFloat32, Trainer, type TrainerStart } from '../training/index.js';
import type { PulledModel } from './pulled-model.js';
import { type SampleJob, sampleJob, type SampleSource } from './sample-job.js';

type Source = Omit<SampleSource, 'wantsClasses'>;

/** Whom a membership test tells apart. */
export interface MembershipTest {
  /** name of this site */
  readonly site: string;
  /** to the dataset that the site trained with, which `members` are; digest text */
  readonly commitment: string;
  /** units that the model was trained on */
  readonly members: Source;
  /** units of the same kind that it never saw */
  readonly others: Source;
  /** models of the same task that saw neither; with them a loss is judged against what is usual for the unit */
  readonly references: readonly PulledModel[];
}

/**
 * What membership tests reach against a model at this site: by the loss of each unit, and by how far it lies below the mean
 * loss of reference models. Losses stay on this machine; the report holds shares in 1/32 and bands.
 *
 * @param options its folder is private
 * @throws E_RELEASE when the model's plan held units of this site out, or a unit stands on both sides
 * @throws E_UNITS with fewer than 20 units on a side; as `sampleJob`, `Trainer.start` and `Trainer.evaluate`
 * @see Yeom et al. 2018; Watson et al. 2022 (difficulty calibration); Carlini et al. 2022 for what is reported
 */
export async function testMembership(
  model: PulledModel,
  { site, commitment, members, others, references }: MembershipTest,
  options: TrainerStart,
): Promise<AttackFindings> {
  verifyMembers(model);
  const trainer = await Trainer.start(options);
  try {
    const losses: Losses[] = [];
    for (const [i, one] of [model, ...references].entries()) {
      const folder = (side: string): string => join(options.folder, `${side}-${i}`);
      losses.push({
        members: await lossesOf(trainer, one, members, folder('members')),
        others: await lossesOf(trainer, one, others, folder('others')),
      });
    }
    return findingsOf(model, { site, commitment }, losses as [Losses, ...Losses[]]);
  } finally {
    await trainer.close();
  }
}

/** Losses of the units of one side. */
export interface SideLosses {
  readonly units: readonly string[];
  readonly values: Float32Array;
}
/** Losses under one model. */
export interface Losses {
  readonly members: SideLosses;
  readonly others: SideLosses;
}

/**
 * What a report says of losses: shares and bands. Two sites whose units are alike say the same, whatever their numbers within
 * the bands.
 *
 * @param losses under the model, then under each reference
 * @throws E_UNITS, E_RELEASE as `testMembership`
 */
export function findingsOf(
  model: Pick<PulledModel, 'plan' | 'run' | 'arm' | 'digest'>,
  trained: Pick<MembershipTest, 'site' | 'commitment'>,
  [own, ...usual]: readonly [Losses, ...Losses[]],
): AttackFindings {
  verifySides(own);
  const [ofMembers, ofOthers] = [bandOf(own.members.units.length), bandOf(own.others.units.length)];
  if (ofMembers === '<20' || ofOthers === '<20') throw tooFew();
  // what follows from the exact numbers would tell them
  const counts = { members: LEAST_OF_BAND[ofMembers], others: LEAST_OF_BAND[ofOthers] };
  const attacks = [attackOf(model, 'loss-threshold', scoresOf(own, []), counts)];
  if (usual.length > 0) attacks.push(attackOf(model, 'reference-calibrated', scoresOf(own, usual), counts));
  return {
    ...{ schema: 'regulon.attack-report/1', run: model.run, arm: model.arm, model: model.digest, ...trained },
    ...{ members: ofMembers, others: ofOthers, attacks },
  };
}

/** @throws E_RELEASE */
function verifyMembers({ plan, arm }: PulledModel): void {
  const own = armsOf(
    plan,
    plan.sites.map((_, i) => i + 1),
  )[arm];
  if (own?.heldOutFold === null && own.heldOutSite === null && own.validationFold === null) return;
  throw new RegulonError(
    'E_RELEASE',
    `arm ${arm} of ${plan.name} held units out: not all of a site are members`,
    {
      hint: 'release the model of an arm that trains on all units: `evaluation: { split: none }`, or det5 with `finalModel`',
    },
  );
}

async function lossesOf(
  trainer: Trainer,
  model: PulledModel,
  source: Source,
  folder: string,
): Promise<SideLosses> {
  mkdirSync(folder, { mode: 0o700 });
  const { job, dataset }: SampleJob = await sampleJob(model, { ...source, wantsClasses: true }, folder);
  const lossesPath = `${folder}.losses.f32`;
  const { count } = await trainer.evaluate({ ...job, lossesPath });
  return { units: dataset.unitIds, values: await readFloat32(lossesPath, count, 'losses') };
}

/** @throws E_UNITS, E_RELEASE */
function verifySides({ members, others }: Losses): void {
  if (members.values.length < LEAST_TESTED || others.values.length < LEAST_TESTED) throw tooFew();
  const known = new Set(members.units);
  const both = others.units.filter((unit) => known.has(unit)).length;
  if (both > 0)
    throw new RegulonError('E_RELEASE', `${both} units are named as members and as others`, {
      hint: 'take samples that the model was not trained on',
    });
}

const tooFew = (): RegulonError =>
  new RegulonError('E_UNITS', `a membership test takes at least ${LEAST_TESTED} units on each side`, {
    hint: 'use more samples: with fewer, the test tells of single patients',
  });

/** Higher for members: how far the loss of a unit lies below what is usual for it, or below 0. */
function scoresOf(own: Losses, usual: readonly Losses[]): MembershipScores {
  const side = (of: 'members' | 'others'): number[] =>
    Array.from(own[of].values, (loss, unit) => {
      const mean = usual.reduce((sum, reference) => sum + (reference[of].values[unit] ?? NaN), 0);
      return (usual.length === 0 ? 0 : mean / usual.length) - loss;
    });
  return { members: side('members'), others: side('others') };
}

function attackOf(
  { plan }: Pick<PulledModel, 'plan'>,
  attack: AttackResult['attack'],
  scores: MembershipScores,
  counts: { readonly members: number; readonly others: number },
): AttackResult {
  const bounds = boundsOf(plan);
  const curve = FALSE_POSITIVE_RATES.map((falsePositives, i) => {
    const rate = Number(falsePositives);
    const found = share(foundAt(rate, scores));
    const bound = bounds?.[i] ?? null;
    const error = Math.min(1, errorOfShare(rate, bound ?? Number(found), counts));
    return {
      ...{ falsePositives, found, error: decimalOf(Math.ceil(ERROR_PARTS * error) / ERROR_PARTS) },
      bound: bound === null ? null : decimalOf(bound),
    };
  });
  return { attack, area: share(areaUnder(scores)), curve };
}

const share = (value: number): string => decimalOf(Math.round(SHARE_PARTS * value) / SHARE_PARTS);

/** What no test exceeds by the (ε, δ) of the plan, at each rate; undefined where it claims none. */
function boundsOf({ privacy, training }: PulledModel['plan']): number[] | undefined {
  if (!privacy) return undefined;
  const event = trainingEvent(privacy, { rounds: training.rounds, counted: true });
  const copies = privacy.hospitalsPerPatient;
  const events = (privacyEventsOf(event) ?? []).flatMap((one) =>
    one.mechanism === 'gaussian' ? [{ q: one.q, z: one.z, steps: one.steps * copies }] : [],
  );
  const most = mostFound(events, FALSE_POSITIVE_RATES.map(Number));
  return most.map((bound) => Number(bound.toPrecision(6)));
}
