import type { AttributionMethod } from '../job.js';
import type { Question } from './explained.js';
import type { ExplainedNetwork } from './explained-network.js';
import { gradCam } from './grad-cam.js';
import { gradientTimesInput, saliency } from './gradients.js';
import { expectedGradients, integratedGradients } from './integrated-gradients.js';
import { occlusion } from './occlusion.js';
import { gaussLegendre, midpoints } from './quadrature.js';
import { layerWiseRelevance } from './relevance.js';

/** Attributions of one unit; of a method that adds up, what was explained and what is missing. */
export interface Answer {
  /** [inputs] */
  readonly values: Float64Array;
  readonly gap?: number;
  readonly difference?: number;
}

/** What methods compare a unit with. */
export interface Reference {
  /** [inputs] */
  readonly baseline: Float64Array;
  /** units of this site, each [inputs] */
  readonly background: readonly Float64Array[];
}

const NODES = 32;
const NODES_OF_BACKGROUND = 8;

/** The declared method as a function of one question. */
export function attributorOf(
  method: AttributionMethod,
  model: ExplainedNetwork,
  { baseline, background }: Reference,
): (question: Question) => Answer {
  switch (method.name) {
    case 'saliency':
      return (question) => ({ values: saliency(model, question) });
    case 'gradient-input':
      return (question) => ({ values: gradientTimesInput(model, question) });
    case 'occlusion':
      return (question) => ({ values: occlusion(model, question, baseline) });
    case 'grad-cam':
      return (question) => ({ values: gradCam(model, question) });
    case 'integrated-gradients': {
      const { nodes = NODES, rule } = method;
      const quadrature = rule === 'midpoint' ? midpoints(nodes) : gaussLegendre(nodes);
      return (question) => integratedGradients(model, question, baseline, quadrature);
    }
    case 'expected-gradients': {
      const quadrature = gaussLegendre(method.nodes ?? NODES_OF_BACKGROUND);
      return (question) => expectedGradients(model, question, background, quadrature);
    }
    case 'relevance':
      return (question) => {
        const { values, bias, stabiliser, output } = layerWiseRelevance(model, question, method.epsilon);
        const total = values.reduce((sum, r) => sum + r, 0) + bias + stabiliser;
        return { values, difference: output, gap: total - output };
      };
  }
}
