import { axisOf, COLOURS, FRAME, label, type Picture, place } from '../run-report/index.js';
import type { AuditDocument } from './report-document.js';

const LANES: readonly (readonly [name: string, kinds: RegExp])[] = [
  ['federation, policies', /^(federation|policy|dataset|config)\./],
  ['plans, approvals', /^plan\./],
  ['runs begin, end', /^run\./],
  ['rounds with a sum', /^round\.aggregate$/],
  ['aborts, reopened', /^round\.(abort|reopen)$/],
  ['deletions', /^retention\./],
];
const NAMES = 150;
const UNITS = [
  ['days', 86_400_000],
  ['hours', 3_600_000],
  ['minutes', 60_000],
  ['seconds', 1000],
] as const;

type Event = AuditDocument['timeline'][number] & { readonly time: number };

/** When what happened; null when no entry has a time. */
export function timelinePicture({ timeline, verification }: AuditDocument): Picture | null {
  const events = timeline.flatMap((event): Event[] => {
    const time = Date.parse(event.at);
    return Number.isNaN(time) ? [] : [{ ...event, time }];
  });
  const times = events.map(({ time }) => time);
  const start = times.reduce((a, b) => Math.min(a, b), Infinity);
  const span = times.reduce((a, b) => Math.max(a, b), -Infinity) - start;
  if (events.length === 0) return null;
  const wrong = new Set(verification.rules.flatMap(({ evidence }) => evidence));
  const lanes = [
    ...LANES.map(([name, kinds]) => ({ name, events: events.filter(({ kind }) => kinds.test(kind)) })),
    { name: 'breaks a rule', events: events.filter(({ entry }) => wrong.has(entry)) },
  ];
  const [unit, size] = UNITS.find(([, ms]) => span >= ms) ?? UNITS[3];
  const x = axisOf(0, span / size, NAMES, FRAME.width - FRAME.right);
  const first = new Date(start).toISOString();
  const last = new Date(start + span).toISOString();
  const counts = lanes.map((lane) => `${lane.name} ${lane.events.length}`).join('; ');
  return {
    title: 'Timeline',
    words: `From ${first} to ${last}. Entries: ${counts}.`,
    inner: `${lanes.map((lane, i) => laneOf(lane, i, lanes.length, (time) => x.at((time - start) / size))).join('')}${axis(x, unit)}`,
    numbers: {
      titles: ['what', 'entries', 'first', 'last'],
      rows: lanes.map((lane) => [
        lane.name,
        String(lane.events.length),
        lane.events[0]?.at ?? '',
        lane.events.at(-1)?.at ?? '',
      ]),
    },
  };
}

/** One line of marks; those that would cover each other are drawn once. */
function laneOf(
  { name, events }: { name: string; events: readonly Event[] },
  i: number,
  lanes: number,
  at: (time: number) => number,
): string {
  const height = (FRAME.height - FRAME.top - FRAME.bottom) / lanes;
  const [top, bottom] = [FRAME.top + (i + 0.2) * height, FRAME.top + (i + 0.8) * height];
  const isWrong = i === lanes - 1;
  const places = [...new Set(events.map(({ time }) => place(at(time))))];
  const marks = places.map((across) =>
    isWrong
      ? `<path d="M${across} ${place(top)}l8 12m0 -12l-8 12" stroke="${COLOURS[1]}" stroke-width="2"/>`
      : `<line x1="${across}" x2="${across}" y1="${place(top)}" y2="${place(bottom)}" stroke="${COLOURS[0]}" stroke-width="1.5"/>`,
  );
  return label(NAMES - 8, (top + bottom) / 2 + 4, name, 'end') + marks.join('');
}

function axis(x: ReturnType<typeof axisOf>, unit: string): string {
  const base = FRAME.height - FRAME.bottom;
  const ticks = x.ticks.map((tick) =>
    label(x.at(tick), base + 16, String(Number(tick.toPrecision(6))), 'middle'),
  );
  const line = `<line class="axis" x1="${NAMES}" x2="${FRAME.width - FRAME.right}" y1="${base}" y2="${base}"/>`;
  return `${line}${ticks.join('')}${label((NAMES + FRAME.width) / 2, FRAME.height - 8, `${unit} since the first entry`, 'middle')}`;
}
