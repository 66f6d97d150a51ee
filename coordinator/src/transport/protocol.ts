import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';

/** Package of the control service in `proto/`. */
export const CONTROL_PACKAGE = 'regulon.control.v1';
const SERVICE = `${CONTROL_PACKAGE}.ControlService`;
const PROTO_FOLDER = fileURLToPath(new URL('../../../proto', import.meta.url));

/** What a request becomes that is no protocol buffer; the check of the sealed box refuses it like any other. */
const MALFORMED = Object.freeze({});

/**
 * The control service from `proto/`.
 *
 * A request that cannot be parsed becomes an empty one instead of grpc-js's INTERNAL: the one validation of this
 * transport then answers INVALID_ARGUMENT.
 */
export function loadControlPackage(): PackageDefinition {
  const definition = loadSync('regulon/control/v1/control.proto', {
    includeDirs: [PROTO_FOLDER],
    defaults: true,
    keepCase: false,
  });
  for (const method of Object.values(definition[SERVICE] as ServiceDefinition)) {
    const parse = method.requestDeserialize as (bytes: Buffer) => object;
    (method as { requestDeserialize: (bytes: Buffer) => object }).requestDeserialize = (bytes) => {
      try {
        return parse(bytes);
      } catch {
        return MALFORMED;
      }
    };
  }
  return definition;
}
