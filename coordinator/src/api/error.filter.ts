import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { type ErrorCode, isRegulonError, registry } from '@regulon/shared/errors';
import type { ServerResponse } from 'node:http';
import { nameDiskFull, systemCode } from '../disk/index.js';
import { sendJson } from './send.js';

const statusOf = {
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  FAILED_PRECONDITION: 409,
  ALREADY_EXISTS: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  DATA_LOSS: 500,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
} as const;

/** Status of a code whose gRPC status would mislead a client of HTTP. */
const statusOfCode: Readonly<Partial<Record<ErrorCode, number>>> = { E_DISK_FULL: 507 };

/** Errors as `{"error": {code, message, hint, retryable, details}}`; anything unforeseen says no more than that. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  /** @param report hears of what is a defect */
  constructor(private readonly report: (error: unknown) => void) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<ServerResponse>();
    if (response.headersSent) return this.breakOff(thrown, response);
    const error = nameDiskFull(thrown);
    if (!isRegulonError(error)) return this.foreign(error, response);
    const { code, message, hint, retryable, details } = error;
    if (code === 'E_INTERNAL') this.report(error);
    const status = statusOfCode[code] ?? statusOf[registry[code].grpc];
    sendJson(response, status, { error: { code, message, hint, retryable, details } });
  }

  /** An answer that was begun must not look as if it were whole. */
  private breakOff(error: unknown, response: ServerResponse): void {
    response.destroy();
    const isForeseen = isRegulonError(error) && error.retryable;
    if (!isForeseen && systemCode(error) !== 'ERR_STREAM_PREMATURE_CLOSE') this.report(error);
  }

  /** An error of the framework, or a defect: its text might hold anything. */
  private foreign(error: unknown, response: ServerResponse): void {
    const status = error instanceof HttpException ? error.getStatus() : bodyErrorStatus(error);
    if (status >= 500) this.report(error);
    const [code, message] = foreignText(status);
    const { next: hint } = registry[code];
    sendJson(response, status, { error: { code, message, hint, retryable: false, details: {} } });
  }
}

function foreignText(status: number): [code: ErrorCode, message: string] {
  if (status === 404) return ['E_NOT_FOUND', 'there is no such path'];
  return status < 500 ? ['E_MESSAGE', 'the request cannot be read'] : ['E_INTERNAL', 'the request failed'];
}

/** Errors of the body parser carry a status. */
function bodyErrorStatus(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}
