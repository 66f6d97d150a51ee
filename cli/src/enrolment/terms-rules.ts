import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { RegulonError } from '@regulon/shared/errors';
import { thresholds } from '@regulon/shared/secagg';
import type { Terms } from './founder-folder.js';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

/**
 * Whether the terms of a federation can hold together; its form is the schema's matter.
 *
 * @throws E_ARGUMENT naming the option of `regulon fed create`
 */
export function verifyTermsHold({ coordinator, policy, people }: Terms): void {
  verifyHost(coordinator.host);
  verifyPorts(coordinator);
  verifyLeastSum(policy);
  verifyOnce(
    '--person',
    'one id',
    people.map(({ role, id }) => `${role} ${id}`),
  );
  verifyOnce(
    '--person',
    'one key',
    people.map(({ key }) => key),
  );
  verifyOnce(
    '--retention',
    'one class',
    (policy.retention ?? []).map((kept) => kept.class),
  );
}

function verifyHost(host: string): void {
  if (isIP(host) !== 0) return;
  const labels = host.split('.');
  // a name whose last part is a number is read as an address by some programs and as a name by others
  if (labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '')) return;
  const ascii = domainToASCII(host);
  const hint =
    ascii !== '' && ascii !== host && ascii.split('.').every((label) => LABEL.test(label))
      ? `certificates carry it as ${ascii}`
      : 'as coordinator.example or 192.0.2.7: no scheme, no port, no path';
  throw new RegulonError('E_ARGUMENT', '--host: neither a host name nor an address', { hint });
}

function verifyPorts({ controlPort, bulkPort, httpPort }: Terms['coordinator']): void {
  const ports = { '--control-port': controlPort, '--bulk-port': bulkPort, '--http-port': httpPort };
  const options = Object.entries(ports);
  for (const [option, port] of options) {
    const other = options.find(([name, taken]) => name !== option && taken === port)?.[0];
    if (other === undefined) continue;
    throw new RegulonError('E_ARGUMENT', `${option} and ${other}: both are ${port}`, {
      hint: 'the coordinator listens three times: name three ports',
    });
  }
}

/** A sum of the least number of sites must be one that the thresholds let out, when nobody else is a member. */
function verifyLeastSum({ nMin, gamma }: Terms['policy']): void {
  const share = `${gamma.num}/${gamma.den}`;
  if (gamma.num >= gamma.den)
    throw new RegulonError('E_ARGUMENT', `--gamma: ${share} is no share below 1`, {
      hint: 'e.g. 1/3 or 0/1',
    });
  const { c, uMin } = thresholds({
    ...{ N: nMin, M: nMin, n: nMin, strict: true },
    ...{ gammaNum: gamma.num, gammaDen: gamma.den },
  });
  if (uMin <= nMin) return;
  throw new RegulonError(
    'E_ARGUMENT',
    `--min-sites ${nMin} and --gamma ${share} cannot hold together: of ${nMin} sites ${c} may collude with the coordinator, and then no sum of fewer than ${uMin} is let out`,
    {
      hint: `more sites (--min-sites), or fewer who may collude (--gamma); three or four sites: --gamma 0/1 --min-sites 3`,
    },
  );
}

function verifyOnce(option: string, what: string, values: readonly string[]): void {
  if (new Set(values).size === values.length) return;
  throw new RegulonError('E_ARGUMENT', `${option}: ${what} is named twice`, { hint: 'name each once' });
}
