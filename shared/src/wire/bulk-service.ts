/** A method whose frames travel as they are; the shape of a grpc-js `MethodDefinition<Buffer, Buffer>`. */
export interface RawMethod {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (frame: Buffer) => Buffer;
  readonly requestDeserialize: (frame: Buffer) => Buffer;
  readonly responseSerialize: (frame: Buffer) => Buffer;
  readonly responseDeserialize: (frame: Buffer) => Buffer;
}

const same = (frame: Buffer): Buffer => frame;
const rawMethod = (name: string, requestStream: boolean, responseStream: boolean): RawMethod => ({
  path: `/regulon.bulk.v1.BulkService/${name}`,
  requestStream,
  responseStream,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});

/** The bulk service of both ends: no serialiser, so that no frame is copied. */
export const bulkService = { Put: rawMethod('Put', true, false), Get: rawMethod('Get', false, true) };
