import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { canonicalJsonBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  type Kind,
  kinds,
  type LogEntry,
  parseEntry,
  parseEntryBundle,
  parseTilePath,
  readBundle,
} from '@regulon/shared/transparency';
import { samplePlanHash, sampleRun } from '@regulon/shared/transparency-samples';
import { hasPython, python } from '../support/second-verifier.js';
import { good } from './bundles.js';

const second = hasPython ? describe : describe.skip;
/** A value of JSON. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const key = `hospital.example/fed/demo/site/a+${'0'.repeat(8)}`;
/** What takes the place of each value of an entry: at the edge of some form, and just beyond it. */
const replacements: readonly Json[] = [
  ...[
    null,
    true,
    '',
    [],
    {},
    [null],
    0,
    1,
    2,
    3,
    4,
    127,
    128,
    255,
    256,
    257,
    512,
    -1,
    0.5,
    1e21,
    2 ** 53 - 1,
  ],
  ...[2 ** 16 - 1, 2 ** 16, 2 ** 32 - 1, 2 ** 32, 2 ** 53],
  ...[
    'a',
    'A',
    '-a',
    'a'.repeat(63),
    'a'.repeat(64),
    'a'.repeat(100),
    'a'.repeat(101),
    'a'.repeat(500),
    'a'.repeat(501),
    'a b',
    'a\n',
    'a/b:c+d.e_f',
  ],
  ...[
    'a'.repeat(2000),
    'a'.repeat(2001),
    '🧬'.repeat(1000),
    `${'🧬'.repeat(1000)}a`,
    'e\u0301',
    '\u2028',
    '\n',
  ],
  ...['0', '-0.5', '00', '1.', '.5', '1e5', '٣', '1'.repeat(40), '1'.repeat(41)],
  ...[
    '0'.repeat(64),
    'A'.repeat(64),
    `sha256:${'0'.repeat(64)}`,
    `sha256:${'0'.repeat(63)}`,
    `sha256:${'A'.repeat(64)}`,
  ],
  ...[
    '2026-02-28T23:59:59.999Z',
    '2026-02-29T00:00:00.000Z',
    '2028-02-29T00:00:00.000Z',
    '2026-04-31T00:00:00.000Z',
  ],
  ...[
    '2026-01-01T24:00:00.000Z',
    '2026-01-01T23:59:60.000Z',
    '0000-01-01T00:00:00.000Z',
    '2026-01-01T00:00:00Z',
  ],
  ...[
    key,
    `${key}+AAAA`,
    `${key}+AAA=`,
    `${key}+A===`,
    `a\u00a0b+${'0'.repeat(8)}`,
    `${'a'.repeat(212)}${key.slice(-9)}`,
  ],
  ...[
    `${'a'.repeat(211)}${key.slice(-9)}`,
    `${'a'.repeat(386)}${key.slice(-9)}+AAAA`,
    `${'a'.repeat(387)}${key.slice(-9)}+AAAA`,
  ],
  ...[`${'A'.repeat(86)}==`, `${'A'.repeat(85)}B==`, `${'A'.repeat(85)}w==`, 'AAAA', 'AAA=', 'AAA'],
  ...[
    'DUO:0000042',
    'DUO:0000007=MONDO:0004992',
    'DUO:000042',
    `DUO:0000007=${'a'.repeat(68)}`,
    `DUO:0000007=${'a'.repeat(69)}`,
  ],
  ...['fed_a', 'fed_ab', `run_${'0'.repeat(32)}`, 'p-abcdefghijklmnop', 'p-abcdefghijklmnoq', 'token-file'],
  ...[
    'site',
    'coordinator',
    'steward',
    'researcher',
    'r0',
    'r5',
    '<20',
    '500+',
    'patient',
    'research',
    'train',
  ],
  [1, 0],
  [0, 1],
  { digest: `sha256:${'0'.repeat(64)}`, size: 0, mediaType: 'text/plain' },
  { digest: `sha256:${'0'.repeat(64)}`, size: 0, mediaType: 'text/plain;v=1;w=2' },
  { size: 0, root: `sha256:${'0'.repeat(64)}` },
  { num: 1, den: 0 },
  { num: 255, den: 255 },
];
/** Lengths at which a list is full somewhere. */
const LENGTHS = [0, 1, 2, 5, 6, 8, 9, 11, 12, 16, 17, 32, 33, 64, 65, 255, 256];

/** Entries of every kind: those of the good bundles, and two that none of them has. */
function samples(): ReadonlyMap<Kind, readonly LogEntry[]> {
  const found = new Map<Kind, LogEntry[]>();
  for (const make of Object.values(good)) {
    for (const entry of entriesOf(make().bundle))
      found.set(entry.kind, [...(found.get(entry.kind) ?? []), entry]);
  }
  const log = sampleRun();
  const planHash = samplePlanHash();
  for (const kind of ['plan.reject', 'plan.withdraw'] as const) {
    const at = log.write(['steward', 'site-1'], kind, {}, { planHash, reason: 'other' });
    found.set(kind, [parseEntry(log.entries[at] ?? new Uint8Array(0))]);
  }
  return found;
}

function entriesOf(bundle: Uint8Array): LogEntry[] {
  const read = (bytes: Uint8Array): LogEntry[] => {
    try {
      return [parseEntry(bytes)];
    } catch {
      return [];
    }
  };
  try {
    return [...readBundle(bundle).files].flatMap(([path, bytes]) => {
      const tile = parseTilePath(path);
      return tile?.level === 'entries' ? parseEntryBundle(bytes, tile.width).entries.flatMap(read) : [];
    });
  } catch {
    return [];
  }
}

/** What a value is, as far as a form can tell. */
const shapeOf = (value: Json): string =>
  Array.isArray(value) ? 'list' : value === null ? 'null' : typeof value;

/** Places of an entry that have one form in every kind. */
const EVERYWHERE = /^\.(v|fed|seq|prev|at|sigs|actor\.(id|key))(?!\w)/;

/** Places that were changed already, with what stood there. */
class Seen {
  private readonly places = new Set<string>();

  /** @param everywhere what was changed in entries of other kinds, too */
  constructor(private readonly everywhere: Set<string>) {}

  /** Whether nothing like this was changed in this place before; from now on it was. */
  isNew(place: string, value: Json): boolean {
    const places = EVERYWHERE.test(place) ? this.everywhere : this.places;
    const { size } = places;
    return places.add(`${place} ${shapeOf(value)}`).size > size;
  }
}

/** Every value that differs from this one in one place. */
function* changesOf(value: Json, seen: Seen, place = ''): Generator<Json> {
  const isNew = seen.isNew(place, value);
  if (isNew) yield* replacements;
  if (Array.isArray(value)) {
    const [first, ...rest] = value as Json[];
    if (first === undefined) return;
    for (const changed of changesOf(first, seen, `${place}[]`)) yield [changed, ...rest];
    if (!isNew) return;
    for (const length of LENGTHS) yield Array.from({ length }, () => first);
    if (typeof first === 'number') for (const length of LENGTHS) yield Array.from({ length }, (_, i) => i);
  } else if (typeof value === 'object' && value !== null) {
    if (isNew) yield { ...value, more: 0 };
    for (const [name, inner] of Object.entries(value)) {
      const { [name]: _, ...others } = value as Record<string, Json>;
      if (isNew) yield others;
      for (const changed of changesOf(inner, seen, `${place}.${name}`)) yield { ...value, [name]: changed };
    }
  }
}

/** Bytes that are nearly JSON, or JSON in another form. */
function* formsOf(entry: LogEntry): Generator<Uint8Array> {
  const text = new TextDecoder().decode(canonicalJsonBytes(entry));
  for (const seq of [
    '0',
    '00',
    '-0',
    '1.0',
    '1e0',
    '1e21',
    '1E+21',
    '1e+21',
    '0.5',
    '0.50',
    '1e-7',
    'NaN',
    '1e999',
  ])
    yield Buffer.from(text.replace(/"seq":\d+/, `"seq":${seq}`));
  for (const seq of ['9007199254740991', '9007199254740992', '9007199254740993', '123456789012345680000'])
    yield Buffer.from(text.replace(/"seq":\d+/, `"seq":${seq}`));
  for (const other of [`${text} `, `\ufeff${text}`, text.slice(1), '', '[]', '0', 'null', `[${text}]`, '{}'])
    yield Buffer.from(other);
  yield Buffer.from(text.replace('"v":1', '"v":1,"v":1'));
  yield Buffer.from(text.replace('"kind"', '"\\u006bind"'));
  yield Buffer.from(text.replace(/"kind":"[^"]*"/, '"kind":"toString"'));
  yield Buffer.from(text.replace(/"kind":"[^"]*"/, '"kind":"\\ud800"'));
  yield Uint8Array.of(...Buffer.from(text.slice(0, 20)), 0xff, ...Buffer.from(text.slice(20)));
}

const bytesOf = (value: Json): Uint8Array => Buffer.from(canonicalJsonBytes(value));

function rowOf(bytes: Uint8Array): string {
  try {
    parseEntry(bytes);
    return '';
  } catch (error) {
    if (error instanceof RegulonError && error.code === 'E_LOG_ENTRY') return String(error.details['rule']);
    throw error;
  }
}

second(`forms of entries, in TypeScript and Python (needs ${python} with the package cryptography)`, () => {
  let found: ReadonlyMap<Kind, readonly LogEntry[]>;
  beforeAll(() => {
    found = samples();
  });

  const everywhere = new Set<string>();

  it('are seen of every kind', () => {
    expect([...found.keys()].sort()).toEqual(Object.keys(kinds).sort());
  });

  it.each(Object.keys(kinds) as Kind[])('agree on every change of one place of %s', (kind) => {
    const entries = found.get(kind) ?? [];
    const [entry] = entries;
    if (entry === undefined) throw new Error(`no bundle has an entry ${kind}`);
    const seen = new Seen(everywhere);
    const changed = entries.flatMap((one) => [...changesOf(one as unknown as Json, seen)]);
    const made = [...entries, ...changed].map((one) => bytesOf(one as Json));
    made.push(...formsOf(entry));
    const ours = made.map(rowOf);
    const input = made.map((bytes) => Buffer.from(bytes).toString('base64')).join('\n');
    const program = join(import.meta.dirname, 'entry_forms.py');
    const { stdout, stderr } = spawnSync(python, ['-B', program], {
      ...{ input: `${input}\n`, encoding: 'utf8', maxBuffer: 1 << 28 },
    });
    expect(stderr).toBe('');
    const theirs = stdout.split('\n').slice(0, -1);
    expect(theirs).toHaveLength(ours.length);
    const differ = made.flatMap((bytes, i) =>
      ours[i] === theirs[i]
        ? []
        : [`${ours[i]} or ${theirs[i]}: ${Buffer.from(bytes).toString().slice(0, 3000)}`],
    );
    expect(differ.slice(0, 3)).toEqual([]);
    expect(ours).toContain('');
    expect(ours).toContain('D1');
  });
});
