export { outlineOf, preparationWords, type PlanOutline, type RoundsOutline } from './outline.js';
export { readPlanFile, type PlanDocument } from './read-plan.js';
