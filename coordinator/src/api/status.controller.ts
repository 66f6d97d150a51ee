import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { sendBytes, sendJson } from './send.js';
import type { SiteList } from '../runs/index.js';
import { Allow, AllowAll, OpenRoute } from './access.guard.js';
import { API_CONTEXT, type ApiContext } from './context.js';

/** Probes, metrics, and which sites are here. */
@Controller()
export class StatusController {
  constructor(@Inject(API_CONTEXT) private readonly context: ApiContext) {}

  @Get('healthz')
  @OpenRoute()
  healthz(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('readyz')
  @OpenRoute()
  readyz(@Res() response: ServerResponse): void {
    const reason = this.context.notReady();
    sendJson(
      response,
      reason === null ? 200 : 503,
      reason === null ? { status: 'ready' } : { status: 'not ready', reason },
    );
  }

  @Get('metrics')
  @Allow('operator')
  async metrics(@Res() response: ServerResponse): Promise<void> {
    const { registry } = this.context.metrics;
    sendBytes(response, registry.contentType, Buffer.from(await registry.metrics()));
  }

  @Get('api/v1/sites')
  @AllowAll()
  sites(): SiteList {
    return this.context.views.sites();
  }
}
