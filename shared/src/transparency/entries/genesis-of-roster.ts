import { equalBytes, parseCanonicalJson } from '../../crypto/index.js';
import { refusalOf, RegulonError } from '../../errors/index.js';
import type { SignedRoster } from '../../plan/index.js';
import { parseVkey } from '../notes/vkey.js';
import { attachmentOf, MediaType } from './attachments.js';
import { genesisBody } from './bodies-federation.js';
import { FederationKeys, type ResolveAttachment } from './federation-keys.js';
import { time } from './fields.js';
import { type GenesisDraft, genesisOf } from './genesis.js';
import type { BodyOf } from './kinds.js';
import { isRecord } from './parse.js';

/** A genesis that a roster implies, with what it refers to. */
export interface GenesisOfRoster extends GenesisDraft {
  readonly keys: FederationKeys;
  /** finds the attachments of this genesis */
  readonly resolve: ResolveAttachment;
}

/**
 * Check that a genesis is the one its roster implies: exactly the members with their keys, the coordinator's key, the
 * administrators, the rules and the quorum.
 *
 * The draft chooses only the coordinator's host, the log key, people who act under an own key (none of them a steward
 * or site), the software and the time.
 *
 * @param payload bytes that every founder signs, attacker-controlled
 * @param signedRoster verified by `verifyRoster`
 * @throws E_ROSTER naming the first field that is another one; E_LOG_ENTRY when one key or actor stands twice
 */
export function verifyGenesisOfRoster(payload: Uint8Array, signedRoster: SignedRoster): GenesisOfRoster {
  const { federationId } = signedRoster.roster;
  const draft = parseDraft(payload);
  if (!draft) throw refusal(federationId, 'it is no genesis in canonical JSON');
  const expected = impliedBy(signedRoster, draft);
  if (!equalBytes(expected.payload, payload)) {
    const implied = JSON.parse(new TextDecoder().decode(expected.payload)) as Draft['whole'];
    throw refusal(federationId, `${firstDifference(draft.whole, implied)} is not what the roster implies`);
  }
  const attached = new Map(
    expected.attachments.map((bytes) => [attachmentOf(bytes, MediaType.json).digest, bytes]),
  );
  const resolve = (digest: string): Uint8Array | undefined => attached.get(digest);
  return { ...expected, resolve, keys: new FederationKeys(federationId, draft.body, resolve) };
}

interface Draft {
  readonly whole: Readonly<Record<string, unknown>>;
  readonly body: BodyOf<'federation.genesis'>;
  readonly at: string;
}

function parseDraft(payload: Uint8Array): Draft | undefined {
  const whole = recordOf(payload);
  if (whole === undefined) return undefined;
  const [body, at] = [genesisBody.safeParse(whole['body']), time.safeParse(whole['at'])];
  return body.success && at.success ? { whole, body: body.data, at: at.data } : undefined;
}

/** The object of some canonical JSON; undefined when it is none. */
function recordOf(payload: Uint8Array): Draft['whole'] | undefined {
  try {
    const value = parseCanonicalJson(payload, 'the genesis');
    return isRecord(value) ? value : undefined;
  } catch (error) {
    refusalOf(error);
    return undefined;
  }
}

function impliedBy(signedRoster: SignedRoster, { body, at }: Draft): GenesisDraft {
  const { federationId } = signedRoster.roster;
  const suffix = `/fed/${federationId}`;
  if (!body.origin.endsWith(suffix)) throw refusal(federationId, 'its origin names another federation');
  try {
    return genesisOf({
      signedRoster,
      coordinatorHost: body.origin.slice(0, -suffix.length),
      logPublicKey: parseVkey(body.logKey).publicKey,
      people: body.people.map(({ id, role, key }) => ({ id, role, publicKey: parseVkey(key).publicKey })),
      software: body.software,
      at: new Date(at),
    });
  } catch (cause) {
    throw refusal(federationId, refusalOf(cause).message);
  }
}

/** Path of the first member that two objects do not share. */
function firstDifference(one: Draft['whole'], other: Draft['whole']): string {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const [path = ''] = names
    .filter((key) => !same(one[key], other[key]))
    .map((key) => {
      const [own, others] = [one[key], other[key]];
      return key === 'body' && isRecord(own) && isRecord(others)
        ? `body.${firstDifference(own, others)}`
        : key;
    });
  return path;
}

function refusal(federationId: string, what: string): RegulonError {
  return new RegulonError('E_ROSTER', `the genesis of ${federationId}: ${what}`, {
    hint: 'sign and use only the genesis that the roster of the administrators implies; keep this one as evidence',
  });
}
