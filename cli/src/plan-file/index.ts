export { outlineOf, preparationWords, type PlanOutline, type RoundsOutline } from './outline.js';
export { isPlanDocument, readPlanFile, type PlanDocument } from './read-plan.js';
