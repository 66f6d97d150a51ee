import { type Manifest, noiseVariance, samplerFor, type SecAggClient } from '@regulon/shared/secagg';
import type { SiteView } from '../../policy/index.js';
import type { OutgoingUpdate } from '../../update/index.js';

/** An attempt whose plan may want noise. */
export interface NoisePlace {
  readonly session: { readonly site: { readonly site: Pick<SiteView, 'samplers'> } };
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
