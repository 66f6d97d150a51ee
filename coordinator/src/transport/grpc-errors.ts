import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { isRegulonError, RegulonError, registry } from '@regulon/shared/errors';
import { nameDiskFull } from '../disk/index.js';
import { encodeErrorInfo, ERROR_KEY } from '@regulon/shared/wire';

/**
 * The gRPC form of any error: status by the registry, code, message and hint in the trailers.
 *
 * An error that is not ours becomes E_INTERNAL without its text, which might hold anything.
 *
 * @param report hears of what is a defect
 */
export function toServiceError(error: unknown, report: (error: unknown) => void): ServiceError {
  const named = nameDiskFull(error);
  const own = isRegulonError(named)
    ? named
    : new RegulonError('E_INTERNAL', 'the coordinator met a defect', { cause: error });
  if (own.code === 'E_INTERNAL') report(error);
  const metadata = new Metadata();
  metadata.set(ERROR_KEY, Buffer.from(encodeErrorInfo(own)));
  const details = own.code;
  const code = status[registry[own.code].grpc];
  return Object.assign(new Error(`${own.code}: ${own.message}`), { name: own.code, code, details, metadata });
}
