import { appendFileSync } from 'node:fs';
import { type FeatureSpecification, keepPrepared, transform, type UnitsView } from '@regulon/shared/genomics';
import { encodeFixed } from '@regulon/shared/secagg';
import { type CohortSize, countsOf, pipelineSteps } from './pipeline.js';

/** What the bench asks of a site. */
export type SiteQuestion =
  | { readonly kind: 'load'; readonly site: number; readonly size: CohortSize; readonly file: string }
  | { readonly kind: 'sum'; readonly step: number; readonly specification: FeatureSpecification }
  | { readonly kind: 'transform'; readonly specification: FeatureSpecification };

/** What a site answers. */
export interface SiteAnswer {
  /** ring words of a sum */
  readonly words?: Uint8Array;
  /** Σ of the prepared values and of their squares */
  readonly checks?: readonly [number, number];
  /** processor time since the data was loaded, user and system, s */
  readonly cpuSeconds: number;
  /** resident memory at most, since the program was loaded, bytes */
  readonly peakBytes: number;
}

let view: UnitsView | undefined;
let size: CohortSize | undefined;
const atStart = process.memoryUsage.rss();
let loaded: NodeJS.CpuUsage | undefined;

function answer(question: SiteQuestion): Omit<SiteAnswer, 'peakBytes' | 'cpuSeconds'> {
  if (question.kind === 'load') {
    size = question.size;
    const n = size.patients / size.sites;
    const values = new Float64Array(n * size.genes);
    let at = 0;
    for (const counts of countsOf(question.site, size)) {
      appendFileSync(question.file, new Uint8Array(counts.buffer));
      values.set(counts, at);
      at += counts.length;
    }
    const labels = Int32Array.from({ length: n }, (_, i) => i % 2);
    view = keepPrepared({ n, genes: size.genes, values, labels, classes: 2 });
    return {};
  }
  if (!view || !size) throw new Error('the site has no data yet');
  if (question.kind === 'transform') {
    const { features } = transform(view, question.specification);
    return { checks: [features.reduce((a, x) => a + x, 0), features.reduce((a, x) => a + x * x, 0)] };
  }
  const step = pipelineSteps(size)[question.step];
  if (!step) throw new Error(`the pipeline has no step ${question.step}`);
  const values = step.local(view, question.specification);
  return { words: encodeFixed(values, step.fractionBits, step.bound(view.n)).words };
}

process.on('message', (question: SiteQuestion) => {
  const found = answer(question);
  const peakBytes = process.resourceUsage().maxRSS * 1024 - atStart;
  if (question.kind === 'load') loaded = process.cpuUsage();
  const { user, system } = process.cpuUsage(loaded);
  process.send?.({ ...found, peakBytes, cpuSeconds: (user + system) / 1e6 } satisfies SiteAnswer);
});
