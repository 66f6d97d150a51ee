export { CoordinatorApi } from './api.js';
export { RestClient } from './rest-client.js';
export { modelSpecification } from './documents.js';
