import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { parseStrict, type SitePolicy, sitePolicySchema } from '@regulon/shared/plan';
import { MAX_YAML_BYTES, parseYaml } from '@regulon/shared/yaml';
import { type DaemonConfig, daemonConfigSchema } from './daemon-config.js';

/**
 * Read the daemon's configuration; every path in it is absolute afterwards.
 *
 * @throws E_CONFIG naming the file and the path of the key, never its value
 */
export function readDaemonConfig(file: string): DaemonConfig {
  const config = readYaml(file, daemonConfigSchema, 'configuration');
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
  return readYaml(file, sitePolicySchema, 'site policy');
}

function readYaml<S extends z.ZodType>(file: string, schema: S, what: string): z.output<S> {
  const named = `${what} ${file}`;
  let bytes: Uint8Array;
  try {
    if (statSync(file).size > MAX_YAML_BYTES)
      throw new RegulonError('E_CONFIG', `${named}: larger than 1 MiB`);
    bytes = readFileSync(file);
  } catch (cause) {
    if (isRegulonError(cause)) throw cause;
    throw new RegulonError('E_CONFIG', `${named} cannot be read (${systemCode(cause)})`, { cause });
  }
  return parseStrict(schema, parseYaml(bytes, named, 'E_CONFIG'), named, 'E_CONFIG');
}

function systemCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown reason';
}
