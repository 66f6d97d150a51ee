import type { Screen } from '../demo/index.js';

const CELLS = 30;

/** A bar on a terminal; nothing elsewhere. */
export function progressBar(
  screen: Screen,
  what: string,
  quiet: boolean,
): { show: (share: number) => void; end: () => void } {
  if (quiet || !screen.isTerminal) return { show: () => {}, end: () => {} };
  let last = -1;
  return {
    show(share) {
      const percent = Math.min(100, Math.floor(100 * share));
      if (percent === last) return;
      last = percent;
      const full = Math.round((CELLS * percent) / 100);
      screen.write(`\r${what} [${'█'.repeat(full)}${' '.repeat(CELLS - full)}] ${percent} %`);
    },
    end() {
      if (last >= 0) screen.write(`\r${' '.repeat(what.length + CELLS + 10)}\r`);
    },
  };
}
