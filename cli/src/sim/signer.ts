import { fromHex } from '@regulon/shared/crypto';
import { type BodyOf, type ChainHead, headOf, type Kind } from '@regulon/shared/transparency';
import type { CoordinatorApi } from '../api-client/index.js';
import type { FederationName, Person } from './ceremony/person.js';

/** Where the last entry of an actor stands, as the REST API says it. */
interface ActorHead {
  readonly seq: number;
  readonly hash: string;
  readonly at: string;
}

/** Seals the entries of one person, each on top of the one before. */
export class Signer {
  private head: ChainHead | undefined | null = null;

  constructor(
    readonly person: Person,
    private readonly federation: FederationName,
    private readonly api: CoordinatorApi,
  ) {}

  /** The next entry of this person, in base64 as the REST API takes it. */
  async seal<K extends Kind>(kind: K, body: BodyOf<K>): Promise<string> {
    if (this.head === null) this.head = await this.logHead();
    const bytes = this.person.seal(this.federation, kind, body, this.head, new Date());
    this.head = headOf(bytes);
    return base64(bytes);
  }

  /** What the log holds of this person; after a refused entry the chain goes on from there. */
  private async logHead(): Promise<ChainHead | undefined> {
    const { type, id } = this.person;
    const { seq, hash, at } = await this.api.get<Partial<ActorHead>>(`/api/v1/log/actors/${type}/${id}`);
    return seq === undefined || hash === undefined || at === undefined
      ? undefined
      : { seq, hash: fromHex(hash), at };
  }
}

/** Bytes as the REST API takes them. */
export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
