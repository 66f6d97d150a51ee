import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { isRegulonError, registry } from '@regulon/shared/errors';
import type { ServerResponse } from 'node:http';
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

/** Errors as `{"error": {code, message, hint, retryable, details}}`; anything unforeseen says no more than that. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  /** @param report hears of what is a defect */
  constructor(private readonly report: (error: unknown) => void) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<ServerResponse>();
    if (response.headersSent) return void response.end();
    if (isRegulonError(error)) {
      const { code, message, hint, retryable, details } = error;
      if (code === 'E_INTERNAL') this.report(error);
      return sendJson(response, statusOf[registry[code].grpc], {
        error: { code, message, hint, retryable, details },
      });
    }
    const status = error instanceof HttpException ? error.getStatus() : bodyErrorStatus(error);
    const code = status === 404 ? 'E_NOT_FOUND' : status < 500 ? 'E_MESSAGE' : 'E_INTERNAL';
    const message =
      status === 404
        ? 'there is no such path'
        : status < 500
          ? 'the request cannot be read'
          : 'the request failed';
    if (status >= 500) this.report(error);
    sendJson(response, status, {
      error: { code, message, hint: registry[code].next, retryable: false, details: {} },
    });
  }
}

/** Errors of the body parser carry a status. */
function bodyErrorStatus(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}
