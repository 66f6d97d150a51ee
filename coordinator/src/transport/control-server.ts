import 'reflect-metadata';
import { Server as GrpcServer } from '@grpc/grpc-js';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ServerGrpc } from '@nestjs/microservices';
import type { BoxKeys } from './box-keys.js';
import { ControlChannel } from './control-channel.js';
import {
  CONTROL_CONTEXT,
  ControlController,
  ControlErrors,
  type ControlContext,
} from './control.controller.js';
import { MessageQuota } from './message-quota.js';
import type { SiteGateway } from './ports.js';
import { CONTROL_PACKAGE, loadControlPackage } from './protocol.js';
import type { FormerMember, Member } from './site-identity.js';
import { addressOf, bind, serverCredentials, showCertificate, shutDown, type ServerTls } from './tls.js';

const MAX_MESSAGE_BYTES = 1 << 20;
const MESSAGES_PER_MINUTE = 12_000;
const CHANNEL_OPTIONS = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_concurrent_streams': 8,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.keepalive_permit_without_calls': 1,
};

/** What the control server needs to run. */
export interface ControlServerOptions {
  readonly gateway: SiteGateway;
  readonly boxKeys: BoxKeys;
  readonly members: readonly Member[];
  /** are told that they were removed */
  readonly former?: readonly FormerMember[];
  readonly tls: ServerTls;
  readonly host: string;
  /** 0 for any free port */
  readonly port: number;
  /** hears of what is a defect */
  readonly report: (error: unknown) => void;
  /** limit of each site; default 12,000 */
  readonly messagesPerMinute?: number;
}

/** A server that listens. */
export interface RunningServer {
  readonly port: number;
  /** Show new connections another certificate for the same key. @param cert PEM */
  useCertificate(cert: string): void;
  /** Ends all calls at once; sites reconnect and go on. */
  close(): Promise<void>;
}

/** Nest's gRPC server, which by itself binds before it has services and forgets the port. */
class ControlStrategy extends ServerGrpc {
  port = 0;

  constructor(private readonly serverOptions: ControlServerOptions) {
    super({ package: CONTROL_PACKAGE, packageDefinition: loadControlPackage() });
  }

  override createClient(): Promise<GrpcServer> {
    return Promise.resolve(new GrpcServer(CHANNEL_OPTIONS));
  }

  override async start(callback?: () => void): Promise<void> {
    const { host, port, tls } = this.serverOptions;
    await this.bindEvents();
    this.port = await bind(this.grpcClient as GrpcServer, addressOf(host, port), serverCredentials(tls));
    callback?.();
  }

  useCertificate(cert: string): void {
    showCertificate(this.grpcClient as GrpcServer, { ...this.serverOptions.tls, cert });
  }

  override async close(): Promise<void> {
    shutDown(this.grpcClient as GrpcServer);
    await super.close();
  }
}

@Module({})
class ControlModule {
  static with(context: ControlContext): DynamicModule {
    const providers = [{ provide: CONTROL_CONTEXT, useValue: context }];
    return { module: ControlModule, controllers: [ControlController], providers };
  }
}

/**
 * Start the control server.
 *
 * @throws E_ENVIRONMENT when the port is taken; E_TRANSPORT when grpc-js is not the pinned version
 */
export async function startControlServer(options: ControlServerOptions): Promise<RunningServer> {
  const strategy = new ControlStrategy(options);
  const channel = new ControlChannel(options.gateway, options.boxKeys);
  const quota = new MessageQuota(options.messagesPerMinute ?? MESSAGES_PER_MINUTE);
  const module = ControlModule.with({
    channel,
    members: options.members,
    former: options.former ?? [],
    quota,
  });
  const app = await NestFactory.createMicroservice(module, { strategy, logger: ['error', 'fatal'] });
  app.useGlobalFilters(new ControlErrors(options.report));
  await app.listen();
  return {
    port: strategy.port,
    useCertificate: (cert) => strategy.useCertificate(cert),
    close: () => app.close(),
  };
}
