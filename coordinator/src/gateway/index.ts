export { CoordinatorGateway, type GatewayContext } from './coordinator-gateway.js';
export { RoundQueries, type QueryContext } from './round-queries.js';
