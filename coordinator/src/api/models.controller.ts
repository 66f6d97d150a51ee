import { pipeline } from 'node:stream/promises';
import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import type { ModelSpecification } from '../runs/index.js';
import { Allow, type CalledRequest, callerOf, doerOf } from './access.guard.js';
import { API_CONTEXT, type ApiContext } from './context.js';

/** Models by digest: float32 little-endian in the order of the specification. */
@Controller('api/v1/models')
export class ModelsController {
  constructor(@Inject(API_CONTEXT) private readonly context: ApiContext) {}

  @Get(':digest')
  @Allow('researcher')
  async model(
    @Param('digest') digest: string,
    @Req() request: CalledRequest,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const { size, stream } = this.context.views.model(digest);
    this.context.deeds.read(doerOf(callerOf(request)), 'models.model', digest);
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size });
    await pipeline(stream(), response);
  }

  @Get(':digest/spec')
  @Allow('researcher')
  specification(@Param('digest') digest: string): Promise<ModelSpecification> {
    return this.context.views.modelSpecification(digest);
  }
}
