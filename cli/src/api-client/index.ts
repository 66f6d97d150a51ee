export { CoordinatorApi, type ApiAddress } from './api.js';
export { serverSentEvents, type ServerSentEvent } from './sse.js';
