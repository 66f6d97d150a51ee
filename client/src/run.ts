import { pino } from 'pino';
import { RegulonError } from '@regulon/shared/errors';
import { readDaemonConfig } from './config/index.js';
import { Daemon } from './rounds/index.js';
import { tellError } from './errors/index.js';

/**
 * Run the daemon until SIGTERM or SIGINT; prints one JSON line on stdout when it is connected, with what its steward
 * is asked to sign.
 *
 * @throws what keeps the daemon from starting
 */
export async function runDaemon(configFile: string): Promise<void> {
  process.umask(0o077);
  const config = readDaemonConfig(configFile);
  const target = pino.destination({ dest: config.logFile ?? 2, sync: true, mode: 0o600 });
  const logger = pino(
    { level: config.logLevel, base: { site: config.site }, timestamp: pino.stdTimeFunctions.isoTime },
    target,
  );
  const signalled = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  const starting = Daemon.start(config, logger);
  const daemon = await Promise.race([starting, signalled]);
  if (!daemon) return process.exit(0);
  const { statements } = daemon;
  const ready = { ready: true, site: config.site, pid: process.pid, statements };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  try {
    await Promise.race([signalled, daemon.failure]);
    logger.info('stopping');
  } catch (error) {
    tellError(error);
    process.exitCode = error instanceof RegulonError ? error.exitCode : 5;
  }
  // a step that does not end is left to the next start: everything it needs is durable
  setTimeout(() => process.exit(), 5_000).unref();
  await daemon.stop();
  process.exit();
}
