import { z } from 'zod';
import { attachedJson } from '../entries/attachments.js';
import { armModel } from '../entries/bodies-plan.js';
import type { ResolveAttachment } from '../entries/federation-keys.js';
import type { BodyOf } from '../entries/kinds.js';
import type { LogEntry } from '../entries/schema.js';
import { elementsOf } from './context.js';
import { COUNT_NOISE, epsilonOfSteps, type StepsOfPatients } from './independent-accountant.js';

/** δ at which ε is taken to bound a membership test. */
const DELTAS = Array.from({ length: 15 }, (_, j) => 10 ** -(1 + j / 2));

/** What a site has spent on the dataset of a run, at the end of it. */
export interface SiteTotal {
  readonly epsilon: number;
  readonly delta: number;
}

/** What the log says of a run whose models may be released. */
export interface ReleasableRun {
  /** final model of each arm; empty unless the run was completed */
  readonly models: readonly { readonly arm: number; readonly model: string }[];
  /** the unit of its privacy claim; null where the plan claims none */
  readonly unit: string | null;
  /** each site whose data went in, by name; null where nothing is claimed */
  readonly sites: ReadonlyMap<string, SiteTotal | null>;
  /** commitments to the data that went in, by site; honest sites have one */
  readonly commitments: ReadonlyMap<string, ReadonlySet<string>>;
  /** Share of members that no test exceeds at a false positive rate; undefined where nothing is claimed or known. */
  readonly boundAt: (falsePositives: number) => number | undefined;
}

/** The entries that say so. */
export interface RunWords {
  readonly proposal: BodyOf<'plan.propose'>;
  /** reads the attached plan, and the list of models where it is attached */
  readonly resolve: ResolveAttachment;
  readonly finish: BodyOf<'run.finish'> | undefined;
  /** in the order of the log */
  readonly contributions: readonly LogEntry<'round.contribution'>[];
  /** of every steward, in the order of the log */
  readonly policies: readonly LogEntry<'policy.set'>[];
}

/** Read a run as one whose model may be released. */
export function releasableRun({
  proposal,
  resolve,
  finish,
  contributions,
  policies,
}: RunWords): ReleasableRun {
  const isWhole = finish?.status === 'COMPLETED' || finish?.status === 'COMPLETED_PARTIAL';
  const claimed = proposal.privacy;
  const events = claimed ? stepsOf(claimed, 1) : [];
  const sites = new Map<string, SiteTotal | null>();
  const commitments = new Map<string, Set<string>>();
  for (const entry of contributions) {
    if (entry.body.role !== 'contributor') continue;
    const { id } = entry.actor;
    const { charge, commitment } = entry.body;
    commitments.set(id, (commitments.get(id) ?? new Set()).add(commitment));
    const policy = policies.find(
      ({ actor, body }) => actor.id === id && body.policy.digest === entry.body.policy,
    );
    const delta = policy?.body.delta;
    if (!claimed) sites.set(id, null);
    else if (charge && delta != null) sites.set(id, { epsilon: Number(charge.after), delta: Number(delta) });
    else if (!sites.has(id)) {
      const of = Number(claimed.delta);
      sites.set(id, { epsilon: epsilonOfSteps(events, of), delta: of });
    }
  }
  return {
    models: isWhole ? elementsOf(finish.models, armModel, resolve) : [],
    unit: claimed?.unit ?? null,
    sites,
    commitments,
    boundAt: boundBy(claimed, resolve(proposal.plan.digest)),
  };
}

/** Steps of a run on a patient whom so many hospitals hold, and the counts. */
function stepsOf(
  { samplingRate, sigma, steps }: NonNullable<BodyOf<'plan.propose'>['privacy']>,
  copies: number,
): StepsOfPatients[] {
  const count = { q: 1, z: COUNT_NOISE, steps: copies };
  return [{ q: Number(samplingRate), z: Number(sigma), steps: steps * copies }, count];
}

function boundBy(
  claimed: BodyOf<'plan.propose'>['privacy'],
  plan: Uint8Array | undefined,
): ReleasableRun['boundAt'] {
  const copies = plan && hospitalsPerPatient(plan);
  if (!claimed || copies === undefined) return () => undefined;
  const events = stepsOf(claimed, copies);
  let spent: [epsilon: number, delta: number][] | undefined;
  return (falsePositives) => {
    spent ??= DELTAS.map((delta) => [epsilonOfSteps(events, delta), delta]);
    return Math.min(1, ...spent.map(([epsilon, delta]) => Math.exp(epsilon) * falsePositives + delta));
  };
}

const sharedPatients = z.object({
  privacy: z.object({ hospitalsPerPatient: z.string().regex(/^[1-9]\d{0,2}$/) }),
});

function hospitalsPerPatient(plan: Uint8Array): number | undefined {
  const { data } = sharedPatients.safeParse(attachedJson(plan));
  return data && Number(data.privacy.hospitalsPerPatient);
}
