import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { z } from 'zod';
import { type ErrorCode, RegulonError } from '@regulon/shared/errors';
import { parseStrict, type SitePolicy, sitePolicySchema } from '@regulon/shared/plan';
import { type DaemonConfig, daemonConfigSchema } from './daemon-config.js';

/** Largest configuration or policy file, in bytes. */
const MAX_BYTES = 1 << 20;

/**
 * Read the daemon's configuration; every path in it is absolute afterwards.
 *
 * @throws E_CONFIG naming the file and the path of the key, never its value
 */
export function readDaemonConfig(file: string): DaemonConfig {
  const config = readYaml(file, daemonConfigSchema, 'configuration', 'E_CONFIG');
  const at = (path: string): string => resolve(dirname(resolve(file)), path);
  const { dataset, tls, training } = config;
  return {
    ...config,
    stateFolder: at(config.stateFolder),
    federation: at(config.federation),
    policyFile: at(config.policyFile),
    tls: { cert: at(tls.cert), key: at(tls.key), ca: at(tls.ca) },
    dataset: {
      ...dataset,
      counts: at(dataset.counts),
      ...(dataset.labels === undefined ? {} : { labels: at(dataset.labels) }),
    },
    training: {
      ...training,
      ...(training.acceleratorFolder === undefined
        ? {}
        : { acceleratorFolder: at(training.acceleratorFolder) }),
    },
    ...(config.logFile === undefined ? {} : { logFile: at(config.logFile) }),
  };
}

/** Read the site policy. @throws E_CONFIG naming the file and the path of the key */
export function readSitePolicy(file: string): SitePolicy {
  return readYaml(file, sitePolicySchema, 'site policy', 'E_CONFIG');
}

function readYaml<S extends z.ZodType>(file: string, schema: S, what: string, code: ErrorCode): z.output<S> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new RegulonError(code, `${what} ${file} cannot be read (${systemCode(cause)})`, { cause });
  }
  if (text.length > MAX_BYTES) throw new RegulonError(code, `${what} ${file} is larger than 1 MiB`);
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 0, logLevel: 'error' });
  } catch (cause) {
    const line = (cause as { linePos?: { line: number }[] }).linePos?.[0]?.line;
    throw new RegulonError(code, `${what} ${file} is not YAML${line ? `: line ${line}` : ''}`);
  }
  return parseStrict(schema, value, `${what} ${file}`, code);
}

function systemCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown reason';
}
