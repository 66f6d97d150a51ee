/** What the process of the servers and the bench agree on. */
import { createHash } from 'node:crypto';
import type { MethodDefinition } from '@grpc/grpc-js';
import { publicKeyOf } from '@regulon/shared/crypto';
import type { Member } from '@regulon/coordinator/transport';
import type { Material } from '../../support/transport/certificates.js';

/** What the servers are started with. */
export interface Setup {
  /** of the spool */
  readonly folder: string;
  readonly tls: Material;
  readonly sites: number;
  /** uploads that each site may make */
  readonly turns: number;
  /** bytes of an upload */
  readonly size: number;
}

/** Ports, and the public key of the coordinator's statements. */
export interface Listening {
  readonly control: number;
  readonly bulk: number;
  /** of the server without the window work-around */
  readonly stock: number;
  readonly key: readonly number[];
}

/** Resident bytes of the servers' process. */
export interface Memory {
  readonly now: number;
  readonly peak: number;
}

const digest = (text: string): Uint8Array => new Uint8Array(createHash('sha256').update(text).digest());

/** Site `id` of the bench. */
export const memberOf = (id: number): Member => ({ id, key: publicKeyOf(digest(`bench site ${id}`)) });

/** h2 of a turn: every turn has uploads of its own. */
export const h2Of = (turn: number): Uint8Array => digest(`turn ${turn}`);

const same = (frame: Buffer): Buffer => frame;

/** A client stream of bare buffers. */
export const rawPut: MethodDefinition<Buffer, Buffer> = {
  ...{ path: '/regulon.bench.v1.Stock/Put', requestStream: true, responseStream: false },
  ...{ requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same },
};
