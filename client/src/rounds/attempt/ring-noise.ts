import { decimalOf } from '@regulon/shared/plan';
import type { ChargedEvent } from '@regulon/shared/privacy';
import type { ScheduledRound } from '@regulon/shared/program';
import {
  type Manifest,
  noiseVariance,
  ringMechanisms,
  samplerFor,
  type SecAggClient,
} from '@regulon/shared/secagg';
import type { SiteView } from '../../policy/index.js';
import type { OutgoingUpdate } from '../../update/index.js';

/** An attempt whose plan may want noise. */
export interface NoisePlace {
  readonly session: { readonly site: { readonly site: Pick<SiteView, 'samplers'> } };
  readonly round: Pick<ScheduledRound, 'purpose' | 'stepId'>;
  readonly manifest: Manifest;
  readonly client: Pick<SecAggClient, 'limits'>;
}

/**
 * What noises the words of this attempt, drawn afresh whenever it runs; undefined without a mechanism.
 *
 * @throws E_POLICY when this site has no sampler for it
 */
export function noiseOf({ session, manifest, client }: NoisePlace): OutgoingUpdate['noise'] {
  const sampler = samplerFor(manifest, session.site.site.samplers);
  if (!sampler) return undefined;
  const variance = noiseVariance(manifest, client.limits());
  return (words) => sampler.add(words, variance);
}

/** The ledger's event of this attempt: what was added to what leaves, for the actual number of sites. */
export function chargeOf({
  manifest,
  round,
  client,
}: Pick<NoisePlace, 'manifest' | 'round' | 'client'>): ChargedEvent {
  return eventOf(manifest, round, client.limits().h);
}

/** @param h honest contributors that share the noise; the cost of their sum does not depend on it */
export function eventOf(manifest: Manifest, round: NoisePlace['round'], h: number): ChargedEvent {
  const { mechanism, z, Q, d } = manifest;
  const about = { purpose: round.purpose, step: round.stepId };
  if (mechanism === 0) return { mechanism: 'none', ...about };
  const name = ringMechanisms[mechanism];
  const claim = { unit: 'hospital', adjacency: 'add-or-remove-one', sampler: `${name}/1` } as const;
  return { mechanism: name, z: decimalOf(z), Q, h, d, ...claim, ...about };
}
