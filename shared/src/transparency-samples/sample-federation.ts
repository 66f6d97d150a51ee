import { canonicalJsonBytes, hex, publicKeyOf, sha256, signEd25519, utf8 } from '../crypto/index.js';
import {
  type Roster,
  type RosterMember,
  rosterSigningBytes,
  type SignedRoster,
  signMember,
} from '../plan/index.js';
import {
  type ActorType,
  assembleEntry,
  attachmentOf,
  type BodyOf,
  type ChainHead,
  digestText,
  entryHash,
  type GenesisDraft,
  genesisOf,
  headOf,
  keyReference,
  KeyType,
  type Kind,
  MediaType,
  type NamedSeed,
  nextPosition,
  type ScopeOf,
  SECURE_AGGREGATION,
  signPayload,
  statementKeyName,
  verifierKeyOf,
} from '../transparency/index.js';
import { SAMPLE_USE, samplePolicyBytes } from './sample-options.js';

/** A federation with made-up keys, for tests and vectors: the same parameters give the same bytes. */
export class SampleFederation {
  readonly roster: Roster;
  readonly genesis: GenesisDraft;
  /** entry 0, signed by everybody */
  readonly genesisEntry: Uint8Array;
  private readonly heads = new Map<string, ChainHead>();
  private readonly exchanged = new Map<string, Uint8Array>();
  /** one array of seed bytes for each signer: to parse a key costs more than to sign */
  private readonly signers = new Map<string, NamedSeed>();

  /**
   * @param sites number of members, `site-1`… with roster ids 1…
   * @param policy what the policy of its roster says otherwise than usual
   */
  constructor(
    sites = 5,
    readonly clock: () => Date = SampleFederation.ticking(),
    policy: Partial<Roster['policy']> = {},
  ) {
    this.roster = sampleRoster(sites, policy);
    this.genesis = genesisOf({
      signedRoster: signSampleRoster(this.roster, [1, 2, 3]),
      coordinatorHost: 'regulon.example',
      logPublicKey: publicKeyOf(this.logSeed),
      people: [
        { id: 'r1', role: 'researcher', publicKey: publicKeyOf(SampleFederation.seed('researcher', 'r1')) },
      ],
      software: digestText(sha256(utf8('software'))),
      at: this.clock(),
    });
    const signers = [
      this.signer('coordinator', 'coordinator'),
      ...this.roster.members.map((m) => this.signer('site', m.name)),
    ];
    this.genesisEntry = assembleEntry(
      this.genesis.payload,
      signers.map((signer) => signPayload(this.genesis.payload, signer)),
    );
    this.heads.set('coordinator coordinator', headOf(this.genesisEntry));
  }

  /** A clock that moves on by a second at each look. */
  static ticking(start = Date.UTC(2026, 10, 20, 10)): () => Date {
    let at = start;
    return () => new Date((at += 1000));
  }

  /** Ed25519 seed of an actor. */
  static seed(type: string, id: string): Uint8Array {
    return sha256(utf8(`sample ${type} ${id}`));
  }

  get logSeed(): Uint8Array {
    return SampleFederation.seed('log', '');
  }

  get statementSeed(): Uint8Array {
    return SampleFederation.seed('coordinator', 'coordinator');
  }

  /** Seed of an actor's key in service. */
  seedOf(type: string, id: string): Uint8Array {
    return this.exchanged.get(`${type} ${id}`) ?? SampleFederation.seed(type, id);
  }

  /** From here on an actor signs with another key. */
  exchange(type: string, id: string, seed: Uint8Array): void {
    this.exchanged.set(`${type} ${id}`, seed);
    this.signers.delete(`${type} ${id}`);
  }

  signer(type: ActorType, id: string): NamedSeed {
    const who = `${type} ${id}`;
    const signer = this.signers.get(who) ?? {
      keyName: statementKeyName(this.genesis.origin, type, id),
      seed: this.seedOf(type, id),
    };
    this.signers.set(who, signer);
    return signer;
  }

  /** The administrator of the member of this id. */
  administrator(id: number): NamedSeed {
    const keyName = statementKeyName(this.genesis.origin, 'administrator', `site-${id}-${id}`);
    return { keyName, seed: SampleFederation.seed('administrator', String(id)) };
  }

  /** The next entry of an actor. @param others further signers */
  entry<K extends Kind>(
    actor: readonly [ActorType, string],
    kind: K,
    scope: ScopeOf<K>,
    body: BodyOf<K>,
    others: NamedSeed[] = [],
  ): Uint8Array {
    const [type, id] = actor;
    const position = nextPosition(this.heads.get(actor.join(' ')), this.clock());
    const own = this.signer(type, id);
    const key = referenceOf(own);
    const fields = { v: 1, kind, fed: this.roster.federationId, actor: { type, id, key }, body };
    // no draft of `sealEntry`: tests spoil bodies beyond their types
    const payload = canonicalJsonBytes({ ...scope, ...position, ...fields });
    const bytes = assembleEntry(
      payload,
      [own, ...others].map((signer) => signPayload(payload, signer)),
    );
    const { seq, at } = position;
    this.heads.set(actor.join(' '), { seq, at, hash: entryHash(bytes) });
    return bytes;
  }

  /** A `policy.set` of a site's steward, and its attachment. @param changes of its usual body */
  policy(
    site: string,
    changes: Partial<BodyOf<'policy.set'>> = {},
  ): { entry: Uint8Array; attachment: Uint8Array } {
    const { body, attachment } = this.policyBody(site);
    return { entry: this.entry(['steward', site], 'policy.set', {}, { ...body, ...changes }), attachment };
  }

  /** What the steward of a site sets. */
  policyBody(site: string): { body: BodyOf<'policy.set'>; attachment: Uint8Array } {
    const attachment = samplePolicyBytes(site);
    const body: BodyOf<'policy.set'> = {
      policy: attachmentOf(attachment, MediaType.json),
      supersedes: null,
      dataUse: [...SAMPLE_USE],
      purposes: ['research'],
      legalBasis: 'public-data',
      references: [],
      ...{ epsilonCap: null, delta: null, unit: 'patient', minCohort: 3, gamma: { num: 1, den: 3 } },
      ...{ allowedPlans: [], allowedCode: [], reviewersNeeded: 1, egressKinds: [SECURE_AGGREGATION] },
      ...{ leaveSiteOut: 'exact', stableCohort: false, allowDifference: false },
      ...{ retentionClass: 'federation', validUntil: null },
    };
    return { body, attachment };
  }
}

/** A roster with the signatures of these administrators. */
export function signSampleRoster(roster: Roster, admins: readonly number[]): SignedRoster {
  const hash = rosterSigningBytes(roster);
  const sign = (admin: number): string =>
    hex(signEd25519(SampleFederation.seed('administrator', String(admin)), hash));
  return { roster, signatures: admins.map((admin) => ({ admin, signature: sign(admin) })) };
}

const references = new Map<string, string>();
/** How an entry names the key of a signer, derived once: that costs as much as to sign. */
function referenceOf(signer: NamedSeed): string {
  const place = `${signer.keyName} ${hex(signer.seed)}`;
  const known = references.get(place) ?? keyReference(verifierKeyOf(signer, KeyType.statement));
  references.set(place, known);
  return known;
}

const keyOf = (type: string, id: string): string => hex(publicKeyOf(SampleFederation.seed(type, id)));

/** The member `site-<id>`. */
export function sampleMember(id: number): RosterMember {
  const name = `site-${id}`;
  const valid = { validFrom: '2026-01-01T00:00:00.000Z', validTo: '2027-01-01T00:00:00.000Z' };
  const [key, cosignerKey] = [keyOf('site', name), keyOf('cosigner', name)];
  const self = { name, org: `Hospital ${id}`, key, cosignerKey };
  const selfSignature = signMember(SampleFederation.seed('site', name), self);
  return { id, ...self, selfSignature, stewardKey: keyOf('steward', name), ...valid };
}

/** The administrator of a member, who has its id. */
export const sampleAdministrator = (id: number): Roster['admins'][number] => ({
  ...{ id, member: id },
  key: keyOf('administrator', String(id)),
});

function sampleRoster(sites: number, policy: Partial<Roster['policy']>): Roster {
  return {
    schema: 'regulon.roster/1',
    federationId: 'fed_sample',
    version: 1,
    coordinatorKey: keyOf('coordinator', 'coordinator'),
    members: Array.from({ length: sites }, (_, i) => sampleMember(i + 1)),
    admins: [1, 2, 3].map(sampleAdministrator),
    k: 3,
    policy: {
      ...{ nMin: 5, gamma: { num: 1, den: 3 }, quorumRule: 'strict', gateMode: 'signed', gateLag: 1 },
      ...policy,
    },
  };
}
