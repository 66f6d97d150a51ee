import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { parseRunName } from '@regulon/shared/program';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RunDocument, RunEvent, RunList } from '../runs/index.js';
import { API_CONTEXT, type ApiContext } from './context.js';
import type { EntriesReply, ProposeReply } from '../runs/index.js';
import { bytesOf, entriesSchema, integerOf, parseBody, proposeSchema } from './requests.js';

const HEARTBEAT_MS = 15_000;

/** Runs: propose, approve, watch, stop. No logic. */
@Controller('api/v1/runs')
export class RunsController {
  constructor(@Inject(API_CONTEXT) private readonly context: ApiContext) {}

  @Get()
  list(): RunList {
    return this.context.views.list();
  }

  @Post()
  async propose(@Body() body: unknown): Promise<ProposeReply> {
    const { entry, plan, attachments } = parseBody(proposeSchema, body);
    const proposed = await this.context.runs.propose(bytesOf(entry), plan, attachments.map(bytesOf));
    this.context.runs.startQueued();
    return proposed;
  }

  @Get(':id')
  show(@Param('id') id: string): RunDocument {
    return this.context.views.run(id);
  }

  @Post(':id/approvals')
  async approve(@Param('id') id: string, @Body() body: unknown): Promise<EntriesReply> {
    this.context.runs.row(id);
    return appendEntries(this.context, body);
  }

  @Post(':id/stop')
  @HttpCode(200)
  stop(@Param('id') id: string): RunDocument {
    this.context.runs.stop(id);
    return this.context.views.run(id);
  }

  /** Server-sent events; `Last-Event-ID` goes on after an event. The stream ends with the run. */
  @Get(':id/events')
  events(@Param('id') id: string, @Req() request: IncomingMessage, @Res() response: ServerResponse): void {
    const { status, since_ms: since } = this.context.runs.row(id);
    const lastId = integerOf(request.headers['last-event-id']?.toString(), 0);
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    const write = (event: Omit<RunEvent, 'at' | 'id'> & { id: number }): void => {
      response.write(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      if (event.type === 'end') response.end();
    };
    const heartbeat = setInterval(() => response.write(': alive\n\n'), HEARTBEAT_MS);
    let hasEnded = false;
    const unfollow = this.context.runs.eventsOf(parseRunName(id)).follow(lastId, (event) => {
      if (hasEnded) return;
      hasEnded = event.type === 'end';
      write(event);
    });
    response.on('close', () => {
      clearInterval(heartbeat);
      unfollow();
    });
    // a run that ended before this process started has no events left: say how it ended
    if (!hasEnded && this.context.views.isOver(status))
      write({ id: lastId + 1, type: 'end', status, since } as never);
  }
}

/** Append entries of people, in their order. */
export async function appendEntries(context: ApiContext, body: unknown): Promise<EntriesReply> {
  const { entries, attachments } = parseBody(entriesSchema, body);
  const indexes: number[] = [];
  const files = attachments.map(bytesOf);
  for (const entry of entries) indexes.push((await context.intake.append(bytesOf(entry), files)).index);
  return { indexes };
}
