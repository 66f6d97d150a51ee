/** A site on the board. */
export interface SiteLane {
  readonly name: string;
  /** what the site is doing, in the words of the board */
  readonly stage: string;
  /** rounds of which the site was in the sum */
  readonly inSum: number;
}

/** One round that ended. */
export interface RoundLine {
  readonly round: number;
  /** `train`, or the id of the statistics step, or `evaluate` */
  readonly step: string;
  readonly arm: string;
  readonly seconds: number;
  readonly survivors: number;
  readonly loss: number | null;
  readonly accuracy: number | null;
}

/** Everything the board shows. */
export interface BoardState {
  readonly title: string;
  readonly run: string;
  readonly rounds: number;
  readonly closed: readonly RoundLine[];
  readonly sites: readonly SiteLane[];
  /** what is going on now, in words */
  readonly now: string;
  readonly elapsedSeconds: number;
}

/** What changes the board. */
export type BoardEvent =
  | { readonly type: 'now'; readonly text: string }
  | { readonly type: 'stage'; readonly stage: string; readonly sites: readonly string[] }
  | { readonly type: 'closed'; readonly line: RoundLine; readonly survivors: readonly string[] };

/** What a view can be told: what changes the board, or a line that stays above it. */
export type ViewEvent = BoardEvent | { readonly type: 'finding'; readonly text: string };

/** The board before the first event. */
export function emptyBoard(title: string, run: string, rounds: number, sites: readonly string[]): BoardState {
  return {
    title,
    run,
    rounds,
    closed: [],
    sites: sites.map((name) => ({ name, stage: 'connected', inSum: 0 })),
    now: 'starting',
    elapsedSeconds: 0,
  };
}

/** The board after an event; the old one is not changed. */
export function nextBoard(state: BoardState, event: BoardEvent): BoardState {
  switch (event.type) {
    case 'now':
      return { ...state, now: event.text };
    case 'stage': {
      const named = new Set(event.sites);
      const sites = state.sites.map((site) =>
        named.has(site.name) ? { ...site, stage: event.stage } : site,
      );
      return { ...state, sites };
    }
    case 'closed': {
      const inSum = new Set(event.survivors);
      const sites = state.sites.map((site) =>
        inSum.has(site.name)
          ? { ...site, stage: 'in the sum', inSum: site.inSum + 1 }
          : { ...site, stage: 'not in the sum' },
      );
      return { ...state, closed: [...state.closed, event.line], sites };
    }
  }
}
