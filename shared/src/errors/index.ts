export { registry, type ErrorCode } from './registry.js';
export {
  RegulonError,
  isRegulonError,
  present,
  refusalOf,
  explainError,
  type ErrorDetails,
} from './regulon-error.js';
export { traceOf } from './trace-of.js';
