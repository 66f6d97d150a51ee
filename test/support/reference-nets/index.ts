export {
  gradientDescent,
  mlpNet,
  softmaxNet,
  type LossAndGradient,
  type ReferenceNet,
} from './reference-net.js';
export { syntheticSites, type SyntheticSite } from './synthetic-units.js';
