/** Service definitions: control from the .proto files, bulk with raw frames. */
import { fileURLToPath } from 'node:url';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const SERVICE = 'regulon.control.v1.ControlService';
const PROTO_FOLDER = fileURLToPath(new URL('../../../proto', import.meta.url));

/** The control service from `proto/`. */
export function loadControlService(): ServiceDefinition {
  const definition = loadSync('regulon/control/v1/control.proto', {
    includeDirs: [PROTO_FOLDER],
    defaults: true,
  });
  return definition[SERVICE] as ServiceDefinition;
}

const same = (frame: Buffer): Buffer => frame;
const rawMethod = (
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<Buffer, Buffer> => ({
  path: `/regulon.bulk.v1.BulkService/${name}`,
  requestStream,
  responseStream,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});

/** The bulk service: frames as they are, no serialiser. */
export const bulkService = { Put: rawMethod('Put', true, false), Get: rawMethod('Get', false, true) };
