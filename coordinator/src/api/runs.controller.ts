import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { parseRunName } from '@regulon/shared/program';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { reopenDocument } from '@regulon/shared/transparency';
import type { EntriesReply, ProposeReply, ReopenReply, RunDocument, RunList } from '../runs/index.js';
import { Allow, AllowAll, type CalledRequest, callerOf, doerOf } from './access.guard.js';
import { appendEntries } from './append-entries.js';
import { API_CONTEXT, type ApiContext } from './context.js';
import { EventStream } from './event-stream.js';
import { bytesOf, integerOf, parseBody, proposeSchema } from './requests.js';

/** Runs: propose, approve, watch, stop, reopen. No logic. */
@Controller('api/v1/runs')
export class RunsController {
  constructor(@Inject(API_CONTEXT) private readonly context: ApiContext) {}

  @Get()
  @AllowAll()
  list(): RunList {
    return this.context.views.list();
  }

  @Post()
  @Allow('researcher')
  async propose(@Body() body: unknown): Promise<ProposeReply> {
    const { entry, plan, attachments } = parseBody(proposeSchema, body);
    const proposed = await this.context.runs.propose(bytesOf(entry), plan, attachments.map(bytesOf));
    this.context.runs.startQueued();
    return proposed;
  }

  @Get(':id')
  @Allow('researcher', 'steward', 'operator')
  show(@Param('id') id: string): RunDocument {
    return this.context.views.run(id);
  }

  @Post(':id/approvals')
  @Allow('steward')
  async approve(@Param('id') id: string, @Body() body: unknown): Promise<EntriesReply> {
    this.context.runs.row(id);
    return appendEntries(this.context, body);
  }

  @Post(':id/stop')
  @HttpCode(200)
  @Allow('researcher', 'operator')
  stop(@Param('id') id: string, @Req() request: CalledRequest): RunDocument {
    const { deeds, runs } = this.context;
    deeds.act(doerOf(callerOf(request)), (write) => {
      write('run.stop', id);
      runs.stop(id);
    });
    return this.context.views.run(id);
  }

  @Get(':id/reopen')
  @Allow('operator')
  reopenTerms(@Param('id') id: string): ReopenReply {
    return this.context.runs.reopenTerms(id);
  }

  @Post(':id/reopen')
  @HttpCode(200)
  @Allow('operator')
  reopen(@Param('id') id: string, @Body() body: unknown, @Req() request: CalledRequest): RunDocument {
    const { deeds, runs } = this.context;
    const document = parseBody(reopenDocument, body);
    deeds.act(doerOf(callerOf(request)), (write) => {
      write('run.reopen', id);
      runs.reopen(id, document);
    });
    return this.context.views.run(id);
  }

  /** Server-sent events; `Last-Event-ID` goes on after an event. The stream ends with the run. */
  @Get(':id/events')
  @Allow('researcher', 'steward', 'operator')
  events(@Param('id') id: string, @Req() request: IncomingMessage, @Res() response: ServerResponse): void {
    const { status, since_ms: since } = this.context.runs.row(id);
    const lastId = integerOf(request.headers['last-event-id']?.toString(), 0);
    const stream = new EventStream(response);
    const events = this.context.runs.eventsOf(parseRunName(id));
    response.on(
      'close',
      events.follow(lastId, (event) => stream.send(event)),
    );
    // a run that ended long ago, or in another process, has no events left: say how it ended
    if (this.context.views.isOver(status)) stream.send({ id: lastId + 1, type: 'end', status, at: since });
  }
}
