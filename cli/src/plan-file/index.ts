export { groupLines } from './group-lines.js';
export { type Leaving, listedStep } from './leaving.js';
export { featuresOf, outlineOf, type PlanOutline } from './outline.js';
export { isPlanDocument, readDocument, readPlanFile, type PlanDocument } from './read-plan.js';
