import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  canonicalJson,
  fromHex,
  hashJson,
  hex,
  sha256,
  signEd25519,
  utf8,
  verifyEd25519,
} from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { privateFolder } from '../enrol/index.js';
import { writeWhole } from '../files/index.js';

const subjectSchema = z.union([
  z.strictObject({ planHash: z.string().regex(/^sha256:[0-9a-f]{64}$/) }),
  z.strictObject({ dataset: z.string().min(1).max(200), scope: z.enum(['all', 'commitment']) }),
]);
const objectionSchema = z.strictObject({
  schema: z.literal('regulon.objection/1'),
  federationId: z.string(),
  site: z.string(),
  subject: subjectSchema,
  /** RFC 3339, UTC */
  at: z.string(),
  /** of the steward, 64 bytes, hexadecimal */
  signature: z.string().regex(/^[0-9a-f]{128}$/),
});

/** A plan or a dataset that the steward of a site takes back. */
export type Subject = z.infer<typeof subjectSchema>;
/** The word of a steward that stops the site's own daemon, whatever the log shows. */
export type Objection = z.infer<typeof objectionSchema>;

/** Whose objection it is. */
export interface Objector {
  readonly federationId: string;
  /** name of the site */
  readonly site: string;
}

/** H_x("objection") of an objection without its signature, 32 bytes. */
function objectionBytes({ signature: _, ...unsigned }: Objection): Uint8Array {
  return hashJson('objection', utf8(canonicalJson(unsigned)));
}

/**
 * A steward signs an objection.
 *
 * @param seed of the steward's key, 32 bytes
 * @param now injected wall clock
 */
export function signObjection(
  { federationId, site }: Objector,
  subject: Subject,
  seed: Uint8Array,
  now: Date,
): Objection {
  const draft: Objection = {
    ...{ schema: 'regulon.objection/1', federationId, site, subject },
    ...{ at: now.toISOString(), signature: '' },
  };
  return { ...draft, signature: hex(signEd25519(seed, objectionBytes(draft))) };
}

const folderOf = (stateFolder: string): string => join(stateFolder, 'objections');

/** One file a subject, so that saying it twice is saying it once. */
function fileOf(stateFolder: string, subject: Subject): string {
  const name =
    'planHash' in subject
      ? `plan-${subject.planHash.slice('sha256:'.length)}`
      : `dataset-${hex(sha256(utf8(subject.dataset)))}`;
  return join(folderOf(stateFolder), `${name}.json`);
}

/**
 * Put an objection where the site's daemon looks for it; durable on return. One for good is not weakened; a file that
 * cannot be read is replaced, since a steward speaks now.
 *
 * @throws E_KEY_FILE when the folder is open to others; E_DISK_FULL
 */
export async function placeObjection(stateFolder: string, objection: Objection): Promise<void> {
  privateFolder(folderOf(stateFolder));
  const path = fileOf(stateFolder, objection.subject);
  const known = existsSync(path) ? objectionIn(path).data : undefined;
  const isForGood = known && 'scope' in known.subject && known.subject.scope === 'all';
  if (isForGood) return;
  const text = `${JSON.stringify(objection, null, 2)}\n`;
  await writeWhole(path, 'an objection', (part) => writeFile(part, text, { mode: 0o600, flag: 'wx' }));
}

/** The steward has agreed again: the log alone decides from now on. What was objected to for good stays so. */
export function liftObjection(
  stateFolder: string,
  subject: { planHash: string } | { dataset: string },
): void {
  const path = fileOf(stateFolder, 'planHash' in subject ? subject : { ...subject, scope: 'commitment' });
  const known = existsSync(path) ? readObjection(path) : undefined;
  if (known && !('scope' in known.subject && known.subject.scope === 'all')) rmSync(path);
}

/** @throws E_POLICY: what cannot be read may be a no */
function readObjection(path: string): Objection {
  const { data, error } = objectionIn(path);
  if (data === undefined) throw unreadable(path, error);
  return data;
}

function objectionIn(path: string): { data?: Objection; error?: unknown } {
  try {
    return objectionSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    return { error };
  }
}

function unreadable(path: string, cause?: unknown): RegulonError {
  return new RegulonError('E_POLICY', `${path} cannot be read as an objection of this site's steward`, {
    hint: 'let the steward say no again, or remove the file after asking them',
    ...(isRegulonError(cause) ? { cause } : {}),
  });
}

/** What the steward of this site has taken back at this site itself. */
export class Objections {
  /** @param stewardKeys of this site, 32 bytes each: the one in force and earlier ones */
  constructor(
    private readonly stateFolder: string,
    private readonly by: Objector,
    private readonly stewardKeys: readonly Uint8Array[],
  ) {}

  /**
   * Refuse what the steward objects to.
   *
   * @param planHash digest text
   * @throws E_POLICY when there is an objection to the plan or the dataset, or a file that may be one
   */
  verifyNone(planHash: string, dataset: string): void {
    const found = this.against(planHash, dataset);
    if (found === undefined) return;
    const what = 'planHash' in found.subject ? 'the plan' : `dataset ${dataset}`;
    throw new RegulonError('E_POLICY', `the steward of ${this.by.site} has taken ${what} back, ${found.at}`);
  }

  /** The objection to a plan or to its dataset, if there is one. @throws E_POLICY for a file that may be one */
  against(planHash: string, dataset: string): Objection | undefined {
    return this.all().find(({ subject }) =>
      'planHash' in subject ? subject.planHash === planHash : subject.dataset === dataset,
    );
  }

  private all(): Objection[] {
    const folder = folderOf(this.stateFolder);
    if (!existsSync(folder)) return [];
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
    return names.map((name) => this.verified(join(folder, name)));
  }

  private verified(path: string): Objection {
    const objection = readObjection(path);
    const { federationId, site, signature } = objection;
    const [bytes, signed] = [objectionBytes(objection), fromHex(signature)];
    const isSigned = this.stewardKeys.some((key) => verifyEd25519(key, bytes, signed));
    if (federationId === this.by.federationId && site === this.by.site && isSigned) return objection;
    throw unreadable(path);
  }
}
