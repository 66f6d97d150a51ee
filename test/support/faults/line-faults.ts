/** What a proxy does to its connections. Every field may change while connections are open. */
export interface LineFaults {
  /** added to each round trip, half of it in each direction, ms */
  readonly roundTripMs: number;
  /** of each connection in each direction; Infinity for no limit */
  readonly bytesPerSecond: number;
  /** longest piece that is passed on at once, bytes */
  readonly sliceBytes: number;
  /** how much later than the last byte the other side hears that a connection has ended, ms */
  readonly closeDelayMs: number;
  /** chance that an open connection is reset within a second, 0 to 1 */
  readonly resetsPerSecond: number;
  /** random resets spare a connection for so long after it was opened, ms */
  readonly graceMs: number;
  /** a connection is reset once its client has sent so many bytes */
  readonly cutAfterBytes: number;
  /** nothing passes and nobody is told; what was sent meanwhile arrives afterwards, as TCP repeats it */
  readonly blackHole: boolean;
  /** connections that are opened now are accepted, and nothing ever passes on them */
  readonly mute: boolean;
}

/** A line without faults. */
export const CLEAR_LINE: LineFaults = {
  roundTripMs: 0,
  bytesPerSecond: Infinity,
  sliceBytes: Infinity,
  closeDelayMs: 0,
  resetsPerSecond: 0,
  graceMs: 0,
  cutAfterBytes: Infinity,
  blackHole: false,
  mute: false,
};

const LEAST_HELD = 256 << 10;
const MOST_HELD = 32 << 20;

/** Bytes that one direction of a line holds before its sender has to wait: twice what is under way on a full line. */
export function capacityOf({ bytesPerSecond, roundTripMs }: LineFaults): number {
  const underWay = bytesPerSecond === Infinity ? Infinity : (bytesPerSecond * roundTripMs) / 1000;
  return Math.min(MOST_HELD, Math.max(LEAST_HELD, 2 * underWay));
}
