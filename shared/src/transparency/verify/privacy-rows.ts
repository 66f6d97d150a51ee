import type { Manifest } from '../../secagg/index.js';
import type { BodyOf } from '../entries/kinds.js';
import type { ApprovedRun } from './approval-rows.js';
import type { VerifyContext } from './context.js';
import type { OpenedRound } from './opened-rounds.js';
import type { RunView } from './run-view.js';

/** Largest count of a band; of the last one its least. */
const MOST_UNITS: Readonly<Record<BodyOf<'round.contribution'>['band'], number>> = {
  ...{ '<20': 19, '20-49': 49, '50-99': 99, '100-199': 199, '200-499': 499, '500+': 500 },
};

/** Extras that a private round may have: whether a site failed, and whether it clipped. */
const PRIVATE_EXTRAS: ReadonlySet<string> = new Set(['fault', 'clipped']);

/** Rows P1 and P4 of a run that claims privacy: nothing but noised training, a δ that protects, a named sampler. */
export function checkPrivateRun(
  { findings }: VerifyContext,
  view: RunView,
  approved: ApprovedRun | undefined,
  opened: Iterable<OpenedRound>,
): void {
  const claimed = approved?.proposal.entry.body.privacy ?? null;
  if (claimed === null) return;
  for (const { open, manifest } of opened) {
    const released = unprotected(manifest);
    if (released) findings.fail('P1', `a plan that claims privacy has ${released}`, open.index);
  }
  const delta = Number(claimed.delta);
  for (const { entry, index } of view.contributions) {
    const { band, role, sampler } = entry.body;
    if (!(delta < 1 / MOST_UNITS[band]))
      findings.fail('P1', `δ = ${claimed.delta} is not below 1 / (units of ${entry.actor.id})`, index);
    if (role === 'contributor' && sampler === null)
      findings.fail('P4', `${entry.actor.id} names no source of its noise`, index);
  }
}

/** What leaves in a round without noise, in a word. */
function unprotected({ purpose, mechanism, z: noise, extras }: Manifest): string | undefined {
  if (purpose !== 0) return 'a round that is no training';
  if (mechanism !== 0 || noise !== 0) return 'noise of another mechanism';
  const extra = extras.find(({ name }) => !PRIVATE_EXTRAS.has(name));
  return extra && `an extra without noise (${extra.name})`;
}
