export { EventLoopMonitor, type LoopDelays } from './event-loop.js';
export { Metrics, type MetricSources } from './metrics.js';
