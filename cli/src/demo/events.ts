import type { RunEvent } from '@regulon/coordinator/runs';
import type { ViewEvent } from './state.js';

/** Names that events carry as numbers. */
export interface BoardNames {
  /** roster id → name of the site */
  readonly site: (id: number) => string;
  /** arm → its label */
  readonly arm: (index: number) => string;
}

const STAGES: Readonly<Record<string, string>> = {
  waiting: 'waiting for sites',
  advertise: 'advertising keys, training',
  share: 'sharing secrets, training',
  input: 'training, masking',
  consistency: 'confirming the survivors',
  unmask: 'answering for the masks',
  answer: 'answering for the masks',
  folding: 'sum under way',
};

const DONE: Readonly<Record<string, string>> = {
  advertise: 'keys sent',
  share: 'shares sent',
  input: 'masked vector committed',
  consistency: 'confirmed',
  unmask: 'answered',
  answer: 'answered',
};

/** What one event of the coordinator changes on the board. */
export function boardEventsOf(event: RunEvent, names: BoardNames): ViewEvent[] {
  switch (event.type) {
    case 'round':
      return [
        {
          type: 'now',
          text: [`${event.step} (${names.arm(event.arm)})`, ...event.warnings].join(' · warning: '),
        },
      ];
    case 'stage': {
      const sites = event.waitingFor.map(names.site);
      return sites.length === 0 ? [] : [{ type: 'stage', stage: STAGES[event.stage] ?? event.stage, sites }];
    }
    case 'site':
      return [{ type: 'stage', stage: siteWords(event), sites: [names.site(event.site)] }];
    case 'beat':
      return [{ type: 'stage', stage: event.step, sites: [names.site(event.site)] }];
    case 'site-link':
      return [
        {
          type: 'stage',
          stage: event.connected ? 'connected' : 'disconnected',
          sites: [names.site(event.site)],
        },
      ];
    case 'run':
      return [
        { type: 'now', text: event.status.toLowerCase() + (event.reason ? `: ${event.reason.code}` : '') },
      ];
    case 'closed': {
      const { facts } = event;
      const { round, step, seconds, loss, accuracy } = facts;
      const line = {
        round,
        step,
        arm: names.arm(facts.arm),
        seconds,
        survivors: facts.survivors.length,
        loss,
        accuracy,
      };
      const closed = { type: 'closed', line, survivors: facts.survivors.map(names.site) } as const;
      return facts.finding ? [closed, { type: 'finding', text: facts.finding.text }] : [closed];
    }
    case 'end':
      return [{ type: 'now', text: event.status.toLowerCase() }];
  }
}

function siteWords(event: Extract<RunEvent, { type: 'site' }>): string {
  switch (event.state) {
    case 'done':
      return DONE[event.stage] ?? `${event.stage} done`;
    case 'uploading':
      return `uploading ${Math.floor((100 * (event.bytes ?? 0)) / Math.max(1, event.of ?? 1))} %`;
    case 'refused':
    case 'complained':
    case 'struck':
      return `${event.state}${event.code === undefined ? '' : ` (${event.code})`}`;
  }
}
