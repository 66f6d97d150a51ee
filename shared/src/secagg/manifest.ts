import { enc, f64, sha256, u16, u32, u64, u8, utf8, concatBytes } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { FieldReader } from './fields.js';
import { signTagged, verifyTagged } from './hashing.js';

/** u32 id of a site in the roster. */
export type SiteId = number;

/** 0 contributor; 1 silent: takes part with a zero vector and no weight. */
export type Role = 0 | 1;

/** A number beside the vector, summed in the same ring: clamp(round(v·scale)) with v in [min, max]. */
export interface ManifestExtra {
  readonly name: string;
  readonly scale: number;
  readonly min: number;
  readonly max: number;
}

/** Everything that the sites of one attempt agree on; its digest `ctx` is in every key and signature. */
export interface Manifest {
  readonly version: 1;
  readonly federationId: string;
  /** 32 bytes each: rosterHash, planHash, modelHash, prevTranscriptHash */
  readonly rosterHash: Uint8Array;
  /** 16 bytes */
  readonly runId: Uint8Array;
  readonly round: number;
  readonly attempt: number;
  /** 0 train, 1 statistics, 2 evaluation */
  readonly purpose: 0 | 1 | 2;
  readonly stepId: string;
  readonly arm: number;
  /** the N sites of the plan */
  readonly roles: readonly { readonly id: SiteId; readonly role: Role }[];
  readonly planHash: Uint8Array;
  readonly modelHash: Uint8Array;
  readonly prevTranscriptHash: Uint8Array;
  readonly N: number;
  /** coordinates, extras not counted */
  readonly d: number;
  readonly extras: readonly ManifestExtra[];
  /** ring units per clip norm, a power of two; 1 in the 64-bit ring */
  readonly Q: number;
  /** clip norm; in the 64-bit ring the bound of |value| of one site and coordinate */
  readonly C: number;
  readonly weightCap: number;
  /** fixed denominator, 0 for the decoded Σw̃ */
  readonly denominator: number;
  /** 0 no noise in the ring, 1 discrete Gaussian, 2 Skellam */
  readonly mechanism: 0 | 1 | 2;
  readonly z: number;
  readonly nMin: number;
  readonly gammaNum: number;
  readonly gammaDen: number;
  /** 0 strict, 1 majority */
  readonly quorumRule: 0 | 1;
  /** 0 AES-256-CTR, 1 ChaCha20 */
  readonly prg: 0 | 1;
  readonly ringBits: 32 | 64;
  readonly fractionBits: number;
  readonly graph: 0;
  /** 0 off */
  readonly subCohort: number;
  /** R0..R4, Unix time in ms */
  readonly deadlines: readonly number[];
}

const MAX_SITES = 255;
/** Last instant of a `Date`. */
const MAX_TIME_MS = 8.64e15;

/** Fields of the manifest in their order, each in its canonical form. */
function fieldsOf(m: Manifest): Uint8Array[] {
  const extra = (e: ManifestExtra): Uint8Array[] => [utf8(e.name), u32(e.scale), f64(e.min), f64(e.max)];
  return [
    ...[u16(m.version), utf8(m.federationId), m.rosterHash, m.runId, u32(m.round), u16(m.attempt)],
    ...[u8(m.purpose), utf8(m.stepId), u16(m.arm)],
    ...[u32(m.roles.length), ...m.roles.flatMap(({ id, role }) => [u32(id), u8(role)])],
    ...[m.planHash, m.modelHash, m.prevTranscriptHash, u16(m.N), u32(m.d)],
    ...[u32(m.extras.length), ...m.extras.flatMap(extra)],
    ...[u32(m.Q), f64(m.C), u32(m.weightCap), f64(m.denominator), u8(m.mechanism), f64(m.z)],
    ...[u16(m.nMin), u16(m.gammaNum), u16(m.gammaDen), u8(m.quorumRule), u8(m.prg)],
    ...[
      u8(m.ringBits),
      u8(m.fractionBits),
      u8(m.graph),
      u16(m.subCohort),
      ...m.deadlines.map((at) => u64(at)),
    ],
  ];
}

/** The one byte string of a manifest. @throws E_INTERNAL if a field is out of range */
export function encodeManifest(manifest: Manifest): Uint8Array {
  return enc(...fieldsOf(manifest));
}

/**
 * Read a manifest from an untrusted source.
 *
 * @returns the manifest; encoding it again gives the same bytes
 * @throws E_MESSAGE if the bytes are not the canonical form of a manifest of version 1
 */
export function decodeManifest(bytes: Uint8Array): Manifest {
  const r = new FieldReader(bytes);
  const manifest: Manifest = {
    ...{ version: oneOf(r.u16(), [1] as const), federationId: r.text(128), rosterHash: r.raw(32).slice() },
    ...{ runId: r.raw(16).slice(), round: r.u32(), attempt: r.u16() },
    ...{ purpose: oneOf(r.u8(), [0, 1, 2] as const), stepId: r.text(256), arm: r.u16() },
    roles: r.list(MAX_SITES, () => ({ id: r.u32(), role: oneOf(r.u8(), [0, 1] as const) })),
    ...{ planHash: r.raw(32).slice(), modelHash: r.raw(32).slice(), prevTranscriptHash: r.raw(32).slice() },
    ...{ N: r.u16(), d: r.u32() },
    extras: r.list(256, () => ({ name: r.text(128), scale: r.u32(), min: r.f64(), max: r.f64() })),
    ...{ Q: r.u32(), C: r.f64(), weightCap: r.u32(), denominator: r.f64() },
    ...{ mechanism: oneOf(r.u8(), [0, 1, 2] as const), z: r.f64() },
    ...{ nMin: r.u16(), gammaNum: r.u16(), gammaDen: r.u16() },
    ...{ quorumRule: oneOf(r.u8(), [0, 1] as const), prg: oneOf(r.u8(), [0, 1] as const) },
    ...{
      ringBits: oneOf(r.u8(), [32, 64] as const),
      fractionBits: r.u8(),
      graph: oneOf(r.u8(), [0] as const),
    },
    ...{ subCohort: r.u16(), deadlines: Array.from({ length: 5 }, () => timeOf(r)) },
  };
  r.end();
  return manifest;
}

/** `ctx` = H("CTX", M..): 32 bytes that tie every key and signature to this attempt. */
export function ctxOf(manifest: Manifest): Uint8Array {
  return sha256(concatBytes(enc('regulon/secagg/v1/CTX'), encodeManifest(manifest)));
}

/** L: ring elements of one masked vector, weight and extras included. */
export function vectorLength(manifest: Manifest): number {
  return manifest.d + 1 + manifest.extras.length;
}

/** The coordinator's signature under a manifest. @param seed of the statement key CK, 32 bytes @returns 64 bytes */
export function signManifest(seed: Uint8Array, manifest: Manifest): Uint8Array {
  return signTagged(seed, ctxOf(manifest), 'MANIFEST');
}

/** @throws E_SIG_MANIFEST if CK did not sign this manifest */
export function verifyManifest(coordinatorKey: Uint8Array, manifest: Manifest, sig: Uint8Array): void {
  if (!verifyTagged({ key: coordinatorKey, ctx: ctxOf(manifest), tag: 'MANIFEST', fields: [], sig })) {
    throw new RegulonError(
      'E_SIG_MANIFEST',
      `the manifest of round ${manifest.round} is not signed by the coordinator`,
    );
  }
}

/** A time that `Date` can hold: everybody writes it into log entries. */
function timeOf(r: FieldReader): number {
  const time = r.u64();
  if (time > MAX_TIME_MS) throw new RegulonError('E_MESSAGE', 'a deadline of the manifest is no time');
  return time;
}

function oneOf<T extends number>(value: number, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined)
    throw new RegulonError('E_MESSAGE', `a manifest field has the unknown value ${value}`);
  return found;
}
