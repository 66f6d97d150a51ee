export { NO_FOLD, UNIT_BYTES, type UnitSets } from './unit-sets.js';
export { type PlannedUnits, unitSetsOf } from './collect.js';
export { verifyUnitSets } from './verify.js';
