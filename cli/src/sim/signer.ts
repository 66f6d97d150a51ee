import { fromHex } from '@regulon/shared/crypto';
import { type ChainHead, headOf } from '@regulon/shared/transparency';
import type { CoordinatorApi } from '../api-client/index.js';
import type { FederationName, Person, Statement } from '../enrolment/index.js';

/** Seals the entries of one person, each on top of the one before. */
export class Signer {
  private head: ChainHead | undefined | null = null;

  constructor(
    readonly person: Person,
    private readonly federation: FederationName,
    private readonly api: CoordinatorApi,
  ) {}

  /** The next entry of this person, in base64 as the REST API takes it. */
  async seal(statement: Statement): Promise<string> {
    if (this.head === null) this.head = await chainHead(this.api, this.person);
    const bytes = this.person.seal(this.federation, statement, this.head, new Date());
    this.head = headOf(bytes);
    return base64(bytes);
  }
}

/** What the log holds of a person; after a refused entry the chain goes on from there. */
export async function chainHead(
  api: Pick<CoordinatorApi, 'actorHead'>,
  { type, id }: Person,
): Promise<ChainHead | undefined> {
  const head = await api.actorHead(type, id);
  return head ? { ...head, hash: fromHex(head.hash) } : undefined;
}

/** Bytes as the REST API takes them. */
export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
