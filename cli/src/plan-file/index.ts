export { featuresOf, outlineOf, preparationWords, type PlanOutline } from './outline.js';
export { isPlanDocument, readPlanFile, type PlanDocument } from './read-plan.js';
