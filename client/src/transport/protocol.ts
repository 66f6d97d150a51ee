import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@grpc/grpc-js';
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
