export { CoordinatorApi } from './api.js';
export { RestClient, type ApiAddress } from './rest-client.js';
