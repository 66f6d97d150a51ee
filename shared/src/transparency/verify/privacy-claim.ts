import { z } from 'zod';
import { attachedJson } from '../entries/attachments.js';
import type { BodyOf } from '../entries/kinds.js';
import type { VerifyContext } from './context.js';
import type { Placed } from './run-view.js';

/** Numbers of an attached plan are decimal strings. */
const number = z.string().transform(Number);

/** What of an attached plan says how it protects patients; other members are not read. */
const privatePlan = z.object({
  training: z.object({ rounds: number }),
  privacy: z.object({
    unit: z.string(),
    adjacency: z.literal('add-or-remove-one'),
    noiseMultiplier: number,
    samplingRate: number,
    localSteps: number,
    clipNorm: number,
    delta: number,
  }),
});

type ClaimedPrivacy = NonNullable<BodyOf<'plan.propose'>['privacy']>;

/** Row P1 of a proposal: what it states of privacy is what its plan says. */
export function checkClaim({ log, findings }: VerifyContext, proposal: Placed<'plan.propose'>): void {
  const { plan, privacy: stated, rounds } = proposal.entry.body;
  const bytes = log.resolve(plan.digest);
  if (bytes === undefined) return;
  const parsed = attachedJson(bytes);
  const claims = typeof parsed === 'object' && parsed !== null && 'privacy' in parsed;
  if (!claims && stated === null) return;
  const { data } = privatePlan.safeParse(parsed);
  const wrong = stated === null || data === undefined ? ['privacy'] : differences(stated, rounds, data);
  if (wrong.length > 0)
    findings.fail('P1', `the proposal states another ${wrong.join(', ')} than its plan`, proposal.index);
}

function differences(
  stated: ClaimedPrivacy,
  rounds: number,
  { privacy, training }: z.infer<typeof privatePlan>,
): string[] {
  const same: Readonly<Record<string, boolean>> = {
    mechanism: stated.mechanism === 'dp-sgd',
    clip: Number(stated.clip) === privacy.clipNorm,
    sigma: Number(stated.sigma) === privacy.noiseMultiplier,
    // a rate is the multiple of 2⁻³² next to what the plan says
    samplingRate:
      Number(stated.samplingRate) === Math.max(1, Math.round(privacy.samplingRate * 2 ** 32)) / 2 ** 32,
    rounds: rounds === training.rounds,
    steps: stated.steps === privacy.localSteps * training.rounds,
    adjacency: stated.adjacency === 'add-remove',
    unit: stated.unit === privacy.unit,
    delta: Number(stated.delta) === privacy.delta,
  };
  return Object.keys(same).filter((name) => same[name] === false);
}
