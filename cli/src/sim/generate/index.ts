export { type ExpressionSimulation, type SimulatedSite, simulateSites } from './simulate-sites.js';
export { type SeriesSimulation, simulateSeries } from './simulate-series.js';
