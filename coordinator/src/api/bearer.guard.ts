import { timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Inject, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { sha256, utf8 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { IncomingMessage } from 'node:http';
import { API_CONTEXT, type ApiContext } from './context.js';

const OPEN = 'open without a token';

/** Health probes need no token; everything else does. */
export const OpenRoute = () => SetMetadata(OPEN, true);

/** Lets a request pass that carries the bearer token of the token file. */
@Injectable()
export class BearerGuard implements CanActivate {
  constructor(
    @Inject(API_CONTEXT) private readonly context: ApiContext,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  canActivate(execution: ExecutionContext): boolean {
    if (this.reflector.get<boolean | undefined>(OPEN, execution.getHandler())) return true;
    const { authorization } = execution.switchToHttp().getRequest<IncomingMessage>().headers;
    const given = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? '';
    if (timingSafeEqual(sha256(utf8(given)), sha256(utf8(this.context.bearerToken)))) return true;
    throw new RegulonError('E_AUTH', 'the request carries no valid bearer token');
  }
}
