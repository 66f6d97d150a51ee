import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What the gauges read when they are asked. */
export interface MetricSources {
  readonly queueDepth: () => number;
  readonly logSize: () => number;
  readonly cosignaturesMissing: () => number;
  readonly eventLoopMaxMs: () => number;
  readonly spoolFreeBytes: () => number;
}

/** Metrics of the coordinator for Prometheus; site labels only for transport facts. */
export class Metrics {
  readonly registry = new Registry();
  private readonly rounds: Histogram<'stage'>;
  private readonly uploads: Counter<'site'>;
  private readonly leases: Counter;

  constructor(sources: MetricSources) {
    const registers = [this.registry];
    this.rounds = new Histogram({
      name: 'regulon_round_duration_seconds',
      help: 'seconds of each stage of a closed round; `all` is the whole round',
      labelNames: ['stage'],
      buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600],
      registers,
    });
    this.uploads = new Counter({
      name: 'regulon_upload_bytes_total',
      help: 'bytes of committed masked vectors',
      labelNames: ['site'],
      registers,
    });
    this.leases = new Counter({
      name: 'regulon_lease_lost_total',
      help: 'upload leases that expired',
      registers,
    });
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    };
    gauge('regulon_queue_depth', 'runs that wait for their turn', sources.queueDepth);
    gauge('regulon_log_size', 'entries in the log', sources.logSize);
    gauge(
      'regulon_cosignatures_missing',
      'cosignatures that the newest checkpoint lacks; 0 in gate mode signed',
      sources.cosignaturesMissing,
    );
    gauge(
      'regulon_event_loop_delay_seconds',
      'longest block of the event loop since the start',
      () => sources.eventLoopMaxMs() / 1000,
    );
    gauge('regulon_spool_free_bytes', 'free bytes on the volume of the state folder', sources.spoolFreeBytes);
  }

  roundClosed(seconds: number, stages: Readonly<Record<string, number>>): void {
    this.rounds.observe({ stage: 'all' }, seconds);
    for (const [stage, value] of Object.entries(stages)) this.rounds.observe({ stage }, value);
  }

  uploaded(site: number, bytes: number): void {
    this.uploads.inc({ site: String(site) }, bytes);
  }

  leaseLost(): void {
    this.leases.inc();
  }
}
