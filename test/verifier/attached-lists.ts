/** Logs whose lists are attachments, as those of more than 64 members are. */
import { canonicalJsonBytes } from '@regulon/shared/crypto';
import { attachmentOf, MediaType } from '@regulon/shared/transparency';
import { sampleRun } from '@regulon/shared/transparency-samples';
import { type Case, caseOf } from './cases.js';

const LISTS: Readonly<Record<string, readonly string[]>> = {
  'plan.propose': ['sites'],
  'run.start': ['sites', 'approvals'],
  'round.open': ['invited'],
  'round.aggregate': ['u1', 'u2', 'u3', 'contributions', 'unmasks', 'dropped'],
  'round.unmask': ['survivors', 'dropped', 'selfMask', 'maskKey'],
  'run.finish': ['models'],
};

/** A run with every list attached, `changed` in those of one field. */
const attached =
  (of?: readonly [kind: string, name: string], changed: (list: unknown[]) => unknown = (list) => list) =>
  (): Case => {
    const lists: Uint8Array[] = [];
    const log = sampleRun({
      spoil: (kind, body) => {
        const fields = (LISTS[kind] ?? []).map((name) => {
          const list = body[name] as unknown[];
          const isOne = of?.[0] === kind && of[1] === name;
          const bytes = canonicalJsonBytes(isOne ? changed(list) : list);
          lists.push(bytes);
          return [name, attachmentOf(bytes, MediaType.json)];
        });
        return { ...body, ...(Object.fromEntries(fields) as Record<string, unknown>) };
      },
    });
    lists.forEach((bytes) => log.attach(bytes, MediaType.json));
    return caseOf(log);
  };

export const listsRight: Readonly<Record<string, () => Case>> = {
  'a run whose lists are attached': attached(),
};

export const listsWrong: Readonly<Record<string, () => Case>> = {
  'an attached list of sites that lacks one': attached(['run.start', 'sites'], (list) => list.slice(1)),
  'an attached list of approvals that lacks one': attached(['run.start', 'approvals'], (l) => l.slice(1)),
  'an attached list of survivors with something else in it': attached(
    ['round.unmask', 'survivors'],
    (list) => [...list, null],
  ),
  'attached contributions that are an object': attached(['round.aggregate', 'contributions'], () => ({})),
  'attached losses with a member too many': attached(['round.aggregate', 'dropped'], (list) => [
    ...list,
    { site: 1, stage: 'r2', code: 'E_UPLOAD', more: 1 },
  ]),
};
