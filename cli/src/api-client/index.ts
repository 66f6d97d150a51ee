export { CoordinatorApi } from './api.js';
export { type ApiAddress, RestClient } from './rest-client.js';
export { modelSpecification } from './documents.js';
