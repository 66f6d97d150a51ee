export { discreteGaussianSampler, exactSamplers } from './exact-sampler.js';
export { siteBudgetOf, type BudgetPlace, type RunCharges, type SiteBudget } from './site-budget.js';
