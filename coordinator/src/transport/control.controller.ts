import { Catch, Controller, Inject, type RpcExceptionFilter } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { Metadata, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { Observable, throwError } from 'rxjs';
import type { ControlChannel, ControlMessage, SealedMessage } from './control-channel.js';
import { toServiceError } from './grpc-errors.js';
import type { MessageQuota } from './message-quota.js';
import type { SiteId } from './ports.js';
import { type FormerMember, siteOfCall, type Member } from './site-identity.js';
import { writeAll } from './write-all.js';

/** Injection token of what the controller stands on. */
export const CONTROL_CONTEXT = Symbol('control context');

/** What the controller stands on. */
export interface ControlContext {
  readonly channel: ControlChannel;
  readonly members: readonly Member[];
  readonly former: readonly FormerMember[];
  readonly quota: MessageQuota;
}
type Unary = ServerUnaryCall<ControlMessage, SealedMessage>;
type Stream = ServerWritableStream<ControlMessage, SealedMessage>;

/** The control service: who calls, then the channel. No logic of rounds lives here. */
@Controller()
export class ControlController {
  constructor(@Inject(CONTROL_CONTEXT) private readonly context: ControlContext) {}

  @GrpcMethod('ControlService', 'GetBoxKey')
  getBoxKey(
    _message: object,
    _metadata: Metadata,
    call: Unary,
  ): { boxKey: Uint8Array; signature: Uint8Array } {
    this.admit(call);
    const { publicKey, signature } = this.context.channel.boxKeys;
    return { boxKey: publicKey, signature };
  }

  @GrpcMethod('ControlService', 'Exchange')
  exchange(message: ControlMessage, _metadata: Metadata, call: Unary): Promise<SealedMessage> {
    return this.context.channel.exchange(this.admit(call), message);
  }

  @GrpcMethod('ControlService', 'Fetch')
  fetch(message: ControlMessage, _metadata: Metadata, call: Stream): Observable<SealedMessage> {
    const items = this.context.channel.fetch(this.admit(call), message);
    return new Observable((subscriber) => {
      writeAll(call, items).then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      );
    });
  }

  @GrpcMethod('ControlService', 'Watch')
  watch(message: ControlMessage, _metadata: Metadata, call: Stream): Observable<SealedMessage> {
    const site = this.admit(call);
    return new Observable((subscriber) =>
      this.context.channel.watch(site, message, (sealed) => subscriber.next(sealed)),
    );
  }

  private admit(call: Unary | Stream): SiteId {
    const site = siteOfCall(call, this.context.members, this.context.former);
    this.context.quota.take(site);
    return site;
  }
}

/** Errors of the control channel in their gRPC form. */
@Catch()
export class ControlErrors implements RpcExceptionFilter {
  constructor(private readonly report: (error: unknown) => void) {}

  catch(error: unknown): Observable<never> {
    const answer = toServiceError(error, this.report);
    return throwError(() => answer);
  }
}
