import { concatBytes, enc, u16, u32, u8, utf8 } from '../crypto/index.js';
import { RegulonError, type ErrorCode } from '../errors/index.js';
import { FieldReader } from './fields.js';
import { decodeManifest, encodeManifest, type Manifest, type SiteId } from './manifest.js';
import { decodeMessage, encodeMessage } from './message-codec.js';
import type {
  AdvertiseKeys,
  Complaint,
  ConsistencySignature,
  MaskedCommit,
  MessageKind,
  MessageOfKind,
  ShareKeys,
  SurvivorEntry,
  UnmaskAnswer,
} from './messages.js';
import type { OpenedShares, SiteSecrets } from './r1-deal.js';

/** Everything a site must remember of one attempt; absent members have not happened yet. */
export interface ClientState {
  readonly manifest: Manifest;
  readonly coordinatorSignature: Uint8Array;
  readonly id: SiteId;
  readonly uncounted: readonly SiteId[];
  /** least |U3| and contributors in it that the plan demands, 0 when it demands none of its own */
  readonly minSurvivors: number;
  readonly secrets: SiteSecrets;
  readonly advertise: AdvertiseKeys;
  /** U1, sorted */
  keys?: AdvertiseKeys[];
  shares?: ShareKeys;
  own?: OpenedShares;
  /** digest of the deliveries, and the shares of every member of U2, sorted by dealer */
  inbox?: { readonly digest: Uint8Array; readonly opened: OpenedShares[] };
  commit?: MaskedCommit;
  /** the coordinator acknowledged the upload */
  receipt: boolean;
  survivors?: SurvivorEntry[];
  consistency?: ConsistencySignature;
  answer?: UnmaskAnswer;
  complaint?: Complaint;
  /** why the attempt ended at this site; secrets are wiped */
  ended?: ErrorCode | 'CLOSED';
}

const HEADER = 'regulon/secagg/state/v2';
const LARGEST_PART = 1 << 20;

/** Bytes of a state; they hold secrets: the caller seals them. */
export function encodeState(state: ClientState): Uint8Array {
  const { secrets, inbox } = state;
  return enc(
    HEADER,
    encodeManifest(state.manifest),
    state.coordinatorSignature,
    u32(state.id),
    concatBytes(...state.uncounted.map((id) => u32(id))),
    u16(state.minSurvivors),
    ...[secrets.cSk, secrets.sSk, secrets.b, encodeMessage('advertise', state.advertise)],
    encodeList('advertise', state.keys),
    optional('shares', state.shares),
    encodeOpened(state.own && [state.own]),
    inbox?.digest ?? new Uint8Array(),
    encodeOpened(inbox?.opened),
    optional('commit', state.commit),
    u8(state.receipt ? 1 : 0),
    encodeList('survivor', state.survivors),
    ...[optional('consistency', state.consistency), optional('answer', state.answer)],
    ...[optional('complaint', state.complaint), utf8(state.ended ?? '')],
  );
}

/** @throws E_STATE_DB if the bytes are no state of this version */
export function decodeState(bytes: Uint8Array): ClientState {
  try {
    return readState(new FieldReader(bytes));
  } catch (cause) {
    throw new RegulonError('E_STATE_DB', 'a stored round state cannot be read', { cause });
  }
}

function readState(r: FieldReader): ClientState {
  if (r.text(64) !== HEADER) throw new RegulonError('E_STATE_DB', 'a stored round state has another version');
  const part = (): Uint8Array => r.field(0, LARGEST_PART);
  const maybe = <K extends MessageKind>(kind: K): MessageOfKind[K] | undefined => {
    const bytes = part();
    return bytes.length === 0 ? undefined : decodeMessage(kind, bytes);
  };
  const state: ClientState = {
    ...{ manifest: decodeManifest(part()), coordinatorSignature: r.raw(64).slice(), id: r.u32() },
    ...{ uncounted: decodeIds(part()), minSurvivors: r.u16() },
    secrets: { cSk: r.raw(32).slice(), sSk: r.raw(32).slice(), b: r.raw(32).slice() },
    advertise: decodeMessage('advertise', part()),
    receipt: false,
  };
  assign(state, 'keys', decodeList('advertise', part()));
  assign(state, 'shares', maybe('shares'));
  assign(state, 'own', decodeOpened(part())?.[0]);
  const [digest, opened] = [part().slice(), decodeOpened(part())];
  assign(state, 'inbox', opened && { digest, opened });
  assign(state, 'commit', maybe('commit'));
  state.receipt = r.u8() === 1;
  assign(state, 'survivors', decodeList('survivor', part()));
  assign(state, 'consistency', maybe('consistency'));
  assign(state, 'answer', maybe('answer'));
  assign(state, 'complaint', maybe('complaint'));
  const ended = r.text(64);
  assign(state, 'ended', ended === '' ? undefined : (ended as ErrorCode | 'CLOSED'));
  r.end();
  return state;
}

function assign<K extends keyof ClientState>(
  state: ClientState,
  name: K,
  value: ClientState[K] | undefined,
): void {
  if (value !== undefined) state[name] = value;
}

function optional<K extends MessageKind>(kind: K, message: MessageOfKind[K] | undefined): Uint8Array {
  return message === undefined ? new Uint8Array() : encodeMessage(kind, message);
}

function encodeList<K extends MessageKind>(
  kind: K,
  items: readonly MessageOfKind[K][] | undefined,
): Uint8Array {
  return items === undefined
    ? new Uint8Array()
    : enc(u32(items.length), ...items.map((m) => encodeMessage(kind, m)));
}

function decodeList<K extends MessageKind>(kind: K, bytes: Uint8Array): MessageOfKind[K][] | undefined {
  if (bytes.length === 0) return undefined;
  return new FieldReader(bytes).list(255, (r) => decodeMessage(kind, r.field(0, LARGEST_PART)));
}

function encodeOpened(items: readonly OpenedShares[] | undefined): Uint8Array {
  if (items === undefined) return new Uint8Array();
  return enc(u32(items.length), ...items.flatMap((o) => [u32(o.from), o.sb, o.ss, o.rb, o.rs]));
}

function decodeOpened(bytes: Uint8Array): OpenedShares[] | undefined {
  if (bytes.length === 0) return undefined;
  return new FieldReader(bytes).list(255, (r) => ({
    ...{ from: r.u32(), sb: r.raw(32).slice(), ss: r.raw(32).slice() },
    ...{ rb: r.raw(16).slice(), rs: r.raw(16).slice() },
  }));
}

function decodeIds(bytes: Uint8Array): SiteId[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 4 }, (_, k) => view.getUint32(4 * k));
}
