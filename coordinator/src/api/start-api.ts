import 'reflect-metadata';
import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory, Reflector } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { RegulonError } from '@regulon/shared/errors';
import type { Server } from 'node:http';
import { systemCode } from '../disk/index.js';
import { AccessGuard } from './access.guard.js';
import { AccountsController } from './accounts.controller.js';
import { API_CONTEXT, type ApiContext } from './context.js';
import { ErrorFilter } from './error.filter.js';
import { LogController } from './log.controller.js';
import { ModelsController } from './models.controller.js';
import { RunsController } from './runs.controller.js';
import { StatusController } from './status.controller.js';

const LOOPBACK = '127.0.0.1';
const BODY_LIMIT = '32mb';

/** The REST API as one Nest module. */
@Module({})
export class ApiModule {
  static with(context: ApiContext): DynamicModule {
    return {
      module: ApiModule,
      controllers: [RunsController, LogController, ModelsController, StatusController, AccountsController],
      providers: [{ provide: API_CONTEXT, useValue: context }, Reflector, AccessGuard],
    };
  }
}

/** A REST server that listens. */
export interface RunningApi {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Start the REST API on loopback.
 *
 * @param port 0 for any
 * @param report hears of defects
 * @throws E_ENVIRONMENT when the port is taken
 */
export async function startApi(
  context: ApiContext,
  port: number,
  report: (error: unknown) => void,
): Promise<RunningApi> {
  const options = { bodyParser: false, logger: ['error', 'fatal'] as ('error' | 'fatal')[] };
  const app = await NestFactory.create<NestExpressApplication>(
    ApiModule.with(context),
    new ExpressAdapter(),
    options,
  );
  app.useBodyParser('json', { limit: BODY_LIMIT });
  app.useGlobalGuards(app.get(AccessGuard));
  app.useGlobalFilters(new ErrorFilter(report));
  await app.init();
  const server: Server = app.getHttpServer();
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await app.close();
  };
  try {
    return { port: await listen(server, port), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @returns the port @throws E_ENVIRONMENT */
function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const what = `cannot listen on ${LOOPBACK}:${port}: ${systemCode(cause)}`;
      const hint = 'free the port or configure another one';
      reject(new RegulonError('E_ENVIRONMENT', what, { cause, hint }));
    });
    server.listen(port, LOOPBACK, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
