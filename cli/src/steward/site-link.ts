import { type DaemonConfig, readDaemonConfig } from '@regulon/client/config';
import { loadSiteKeys } from '@regulon/client/enrol';
import { type Federation, loadFederation } from '@regulon/client/policy';
import { connectionOf, helloOnTime } from '@regulon/client/rounds';
import { type CoordinatorLink, pause } from '@regulon/client/transport';
import { followedHead } from '@regulon/client/witness';
import { equalBytes, fromHex, sha256 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { RosterMember } from '@regulon/shared/plan';
import {
  digestText,
  entryHash,
  isRole,
  parseEntry,
  signedPayloadOf,
  verifyCheckpoint,
} from '@regulon/shared/transparency';
import type { FederationName } from '../enrolment/index.js';
import { type LoggedEntry, readLog } from './read-log.js';

const CONNECT_MS = 15_000;
/** A coordinator cuts a checkpoint a minute while entries wait. */
const COVERED_MS = 75_000;
const AGAIN_MS = 500;

/** What a person at a site works with: its configuration, its federation, and the verified log. */
export interface SiteLink {
  readonly config: DaemonConfig;
  readonly federation: Federation;
  readonly name: FederationName;
  /** this site in the roster */
  readonly own: RosterMember;
  readonly log: readonly LoggedEntry[];
  /** Bytes that an entry refers to. @throws E_NOT_FOUND */
  readonly attachment: (digest: string) => Promise<Uint8Array>;
  /** Put bytes beside the log, then append a signed entry. @throws E_LOG_ENTRY, E_LOG_EQUIVOCATION */
  readonly append: (entry: Uint8Array, attachments: readonly Uint8Array[]) => Promise<number>;
  /**
   * Wait until a checkpoint covers an entry, and verify the log up to it.
   *
   * @throws E_DEADLINE when none does in time; E_FORK when the log shows something else there
   */
  readonly covered: (index: number) => Promise<void>;
}

/**
 * Work over the site's own connection: mutual TLS with its certificate, one port, outbound.
 *
 * @throws E_CONFIG, E_KEY_FILE, E_ROSTER, E_CONNECTION, E_CERTIFICATE, E_CLOCK; E_FORK when the log does not hold
 */
export async function withSite<T>(configFile: string, work: (site: SiteLink) => Promise<T>): Promise<T> {
  const config = readDaemonConfig(configFile);
  const { identity } = loadSiteKeys(config.stateFolder);
  const federation = loadFederation(config.federation, config.site, config.rosterHash, identity);
  const link = connectionOf(config, federation.own.id, federation.rosterView);
  try {
    const { genesis } = federation.keys;
    const newestNote = async (): Promise<string> =>
      (await helloOnTime(link, genesis, { timeoutMs: CONNECT_MS })).checkpointNote;
    // before the log is read: the daemon goes on beside it
    const followed = followedHead(config.stateFolder, genesis.origin);
    const log = await readLog(link, federation, await newestNote(), followed);
    const { roster, own } = federation;
    const name = { id: roster.federationId, origin: genesis.origin };
    const covered = async (index: number): Promise<void> => {
      const note = await noteOver(index, newestNote, federation);
      const hash = log.find((logged) => logged.index === index)?.hash;
      const shown = (await readLog(link, federation, note)).find((logged) => logged.index === index)?.hash;
      if (!hash || !shown || !equalBytes(hash, shown))
        throw new RegulonError('E_FORK', `the log shows another entry ${index} than the one that was taken`);
    };
    return await work({ config, federation, name, own, log, covered, ...channelOf(link, log) });
  } finally {
    await link.close();
  }
}

/** The first checkpoint that covers an entry. @throws E_DEADLINE */
async function noteOver(
  index: number,
  newestNote: () => Promise<string>,
  { keys }: Federation,
): Promise<string> {
  const deadline = Date.now() + COVERED_MS;
  for (;;) {
    const note = await newestNote();
    if (note !== '' && verifyCheckpoint(note, keys.logKey).size > index) return note;
    if (Date.now() > deadline)
      throw new RegulonError(
        'E_DEADLINE',
        `no checkpoint covers entry ${index} after ${COVERED_MS / 1000} s`,
      );
    await pause(AGAIN_MS);
  }
}

/** @param log grows with what is appended */
function channelOf(link: CoordinatorLink, log: LoggedEntry[]): Pick<SiteLink, 'attachment' | 'append'> {
  return {
    attachment: async (digest) => {
      const items = await link.fetch({
        type: 'attachment',
        digest: fromHex(digest.slice('sha256:'.length), 32),
      });
      const bytes = items[0]?.bytes ?? new Uint8Array(0);
      if (bytes.length > 0 && digestText(sha256(bytes)) !== digest)
        throw new RegulonError('E_DIGEST', `the coordinator shows other bytes than those of ${digest}`);
      return bytes;
    },
    append: async (entry, attachments) => {
      for (const bytes of attachments) await link.exchange({ type: 'putAttachment', bytes });
      const { index } = await link.exchange({ type: 'appendEntry', entry });
      const logged = isRole(parseEntry(entry)) ? await loggedEntry(link, index, entry) : entry;
      log.push({ index, hash: entryHash(logged), entry: parseEntry(logged) });
      return index;
    },
  };
}

/** An entry as it stands in the log: the coordinator signs some beside the steward. @throws E_FORK when it says something else there */
async function loggedEntry(link: CoordinatorLink, index: number, sent: Uint8Array): Promise<Uint8Array> {
  const [item] = await link.fetch({ type: 'logEntries', from: index, to: index + 1 });
  const logged = item?.entry ?? new Uint8Array(0);
  const payloadOf = (bytes: Uint8Array): Uint8Array => signedPayloadOf(bytes, parseEntry(bytes));
  if (equalBytes(payloadOf(logged), payloadOf(sent))) return logged;
  throw new RegulonError('E_FORK', `entry ${index} of the log is not the one that this steward signed`);
}
