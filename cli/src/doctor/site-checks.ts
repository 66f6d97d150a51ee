import { readFileSync } from 'node:fs';
import type { DaemonConfig } from '@regulon/client/config';
import { openSiteData, type SiteData } from '@regulon/client/datasets';
import { loadSiteKeys, readKeyFile } from '@regulon/client/enrol';
import { CoordinatorConnection } from '@regulon/client/transport';
import { DAEMON_CODE, DAEMON_VERSION } from '@regulon/client/version';
import { fromHex, hex, publicKeyOf } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { endOfPolicy, type Roster, rosterHashOf, type SitePolicy, untilText } from '@regulon/shared/plan';
import { chainIn } from '../enrolment/index.js';
import { failed, type Finding, ok, warning } from './row.js';

const CLOCK_WARNING_MS = 5_000;
const CLOCK_FAILURE_MS = 150_000;
const HELLO_MS = 8_000;

/** D6: one key in one role, in files that only their owner reads, and the one that the roster lists. */
export function checkKeys(config: DaemonConfig): Finding {
  const keys = loadSiteKeys(config.stateFolder);
  readKeyFile(config.tls.key);
  const member = rosterOf(config).members.find((m) => m.name === config.site);
  if (!member)
    return failed(`the roster does not list ${config.site}`, 'ask the administrators to enrol this site');
  if (member.key !== hex(publicKeyOf(keys.identity))) {
    return failed(
      'the roster lists another identity key',
      'point stateFolder to the folder of the enrolment',
    );
  }
  return ok('mode 0600, one key a role, listed in the roster');
}

/** The roster that this site pinned. @throws E_ROSTER, E_CONFIG */
export function rosterOf(config: DaemonConfig): Roster {
  return chainIn(config.federation, fromHex(config.rosterHash)).last.roster;
}

/** What one greeting over the real channel told. */
export interface Greeting {
  /** coordinator's clock − ours, ms, with half of the way there and back taken off */
  readonly offsetMs: number;
  readonly milliseconds: number;
  readonly protocolVersion: number;
}

/** D2: name, network, TLS 1.3 with the pinned authority, box key signed by the roster's coordinator. @throws what stands in the way */
export async function greet(config: DaemonConfig): Promise<Greeting> {
  const roster = rosterOf(config);
  const site = roster.members.find((m) => m.name === config.site)?.id;
  if (site === undefined) throw new RegulonError('E_ROSTER', `the roster does not list ${config.site}`);
  const { host, controlPort, bulkPort } = config.coordinator;
  const connection = new CoordinatorConnection({
    host,
    controlPort,
    bulkPort: bulkPort ?? controlPort + 1,
    site,
    tls: {
      ca: readFileSync(config.tls.ca, 'utf8'),
      cert: readFileSync(config.tls.cert, 'utf8'),
      key: readKeyFile(config.tls.key),
    },
    coordinatorKey: fromHex(roster.coordinatorKey),
    rosterHash: rosterHashOf(roster),
    daemonVersion: DAEMON_VERSION,
  });
  try {
    await connection.connect({ timeoutMs: HELLO_MS });
    const before = Date.now();
    const { nowMs, protocolVersion } = await connection.connect({ timeoutMs: HELLO_MS });
    const milliseconds = Date.now() - before;
    return { offsetMs: nowMs - (before + milliseconds / 2), milliseconds, protocolVersion };
  } finally {
    await connection.close();
  }
}

/** D12: the files of the dataset open and hold what the configuration says. @throws E_DATA_FORMAT and others naming file and place */
export async function checkDataset(
  { dataset }: Pick<DaemonConfig, 'dataset'>,
  open: (config: DaemonConfig['dataset']) => Pick<SiteData, 'describe' | 'release'> = openSiteData,
): Promise<Finding> {
  const data = open(dataset);
  try {
    const { units, panel } = await data.describe();
    return ok(`${dataset.name}: ${units} ${dataset.unit}s, ${panel.size} features`);
  } finally {
    await data.release();
  }
}

/** D13: a policy that has ended, or asks for more sites than there are, keeps this site out of every run, in silence. */
export function checkPolicy(
  { members }: Pick<Roster, 'members'>,
  policy: Pick<SitePolicy, 'nMin' | 'validUntil' | 'code'>,
  now: Date,
): Finding {
  const { nMin } = policy;
  const end = endOfPolicy(policy);
  if (end !== undefined && end <= now.toISOString())
    return warning(
      `the policy ended at ${untilText(end)}: this site takes part in no run`,
      'a new day under `validUntil` of the policy file, and `regulon site policy set`',
    );
  if (policy.code !== undefined && !policy.code.includes(DAEMON_CODE))
    return warning(
      `the policy does not allow the software of this daemon, ${DAEMON_CODE}: this site takes part in no run`,
      'this digest under `code` of the policy file, and `regulon site policy set`; or the software that it names',
    );
  const sites = `the policy asks for ${nMin} sites in a sum, the federation has ${members.length}`;
  return members.length < nMin
    ? warning(
        sites,
        'this site takes part in no run until others have joined, or nMin of the policy is lower',
      )
    : ok(end === undefined ? sites : `${sites}; it ends at ${untilText(end)}`);
}

/** D1. @param offsetMs coordinator's clock − ours */
export function checkClock(offsetMs: number): Finding {
  const seconds = `${(Math.abs(offsetMs) / 1000).toFixed(1)} s ${offsetMs < 0 ? 'ahead of' : 'behind'} the coordinator`;
  if (Math.abs(offsetMs) > CLOCK_FAILURE_MS)
    return failed(seconds, 'set the clock (NTP) of this machine or of the coordinator');
  if (Math.abs(offsetMs) > CLOCK_WARNING_MS) return warning(seconds, 'set the clock (NTP)');
  return ok(seconds);
}
