export { type Evaluation, expectedImprovement, nextPlace, type SearchMethod } from './propose.js';
export { gaussianProcess } from './gaussian-process.js';
export { type Dimension, dimensionSchema, gridPlaces, type Place, placeOf, valuesAt } from './space.js';
export { parseSearch, type Search, searchDigest, searchSchema } from './search-file.js';
export { chosenPlan, type PlanText, trialPlan } from './trial-plans.js';
export { searchCost, verifySearchable } from './verify-search.js';
