import { timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Inject, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { sha256, utf8 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { IncomingMessage } from 'node:http';
import type { Doer } from '../audit/index.js';
import { type Caller, type Role, roles, tokenFileCaller } from '../identity/index.js';
import { API_CONTEXT, type ApiContext } from './context.js';

const ACCESS = 'who may call a route';

/** Roles whose accounts may call a route; the token file opens every route. */
export const Allow = (...allowed: readonly Role[]) => SetMetadata(ACCESS, allowed);

/** Every person with an account. */
export const AllowAll = () => Allow(...roles);

/** Without an account: health probes, and what leads to a session. */
export const OpenRoute = () => SetMetadata(ACCESS, 'open');

/** A request whose caller is known. */
export interface CalledRequest extends IncomingMessage {
  caller?: Caller;
  /** parts of the path */
  params?: Readonly<Record<string, string | undefined>>;
}

/** Lets those pass whom the route names; a route that names nobody is closed. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    @Inject(API_CONTEXT) private readonly context: ApiContext,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  canActivate(execution: ExecutionContext): boolean {
    const access = this.reflector.get<readonly Role[] | 'open' | undefined>(ACCESS, execution.getHandler());
    if (access === 'open') return true;
    const request = execution.switchToHttp().getRequest<CalledRequest>();
    const { name, id } = request.params ?? {};
    const caller = this.callerOf(tokenOf(request));
    if (!caller)
      throw new RegulonError('E_AUTH', 'the request carries no valid token, or its session has ended');
    if (caller.role !== null && !access?.includes(caller.role)) {
      this.context.deeds.refused(doerOf(caller), routeOf(execution));
      throw new RegulonError('E_ROLE', `an account with the role ${caller.role} may not do this`);
    }
    request.caller = caller;
    if (request.method !== 'GET') this.context.acted(caller, execution.getHandler().name, name ?? id);
    return true;
  }

  private callerOf(token: string): Caller | undefined {
    const { bearerToken, accounts } = this.context;
    if (timingSafeEqual(sha256(utf8(token)), sha256(utf8(bearerToken)))) return tokenFileCaller;
    return accounts.callerOf(token);
  }
}

/** Who called, as the log names people. */
export const doerOf = ({ role, id }: Caller): Doer => ({ role: role ?? 'token-file', id });

/** Who sends a request that was let through. @throws E_AUTH on a route that is open */
export function callerOf({ caller }: CalledRequest): Caller {
  if (!caller) throw new RegulonError('E_AUTH', 'nobody is logged in');
  return caller;
}

/** A route as the log names it, e.g. `log.export`. */
const routeOf = (execution: ExecutionContext): string =>
  `${execution
    .getClass()
    .name.replace(/Controller$/, '')
    .toLowerCase()}.${execution.getHandler().name}`;

/** The bearer token of a request, or nothing. */
export function tokenOf({ headers }: IncomingMessage): string {
  return /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
}
