import { utf8 } from '@regulon/shared/crypto';
import { siteCheckpointPath } from '@regulon/shared/transparency';
import { SampleLog, sampleRun } from '@regulon/shared/transparency-samples';
import { type Case, caseOf, cosigned, run, withFiles } from './cases.js';

const gatePath = (files: ReadonlyMap<string, Uint8Array>): string =>
  [...files.keys()].find((path) => path.startsWith('site-checkpoints/')) ?? 'none';
const gateSize = (files: ReadonlyMap<string, Uint8Array>): number => Number(/\d+/.exec(gatePath(files))?.[0]);

const everySize = (files: Map<string, Uint8Array>, log: SampleLog): void =>
  log.entries.forEach((_, i) => files.set(siteCheckpointPath(i + 1), utf8(log.cosigned(i + 1))));
/** A run beside what its sites kept, in mode cosigned. */
const beside = (note: (log: SampleLog) => string) => (): Case => {
  const log = sampleRun(cosigned);
  return { ...caseOf(log), siteCheckpoints: [note(log)] };
};

/** Logs of which fewer checkpoints are there than were cosigned, and checkpoints that only the sites have. */
export const witnessedRight: Record<string, () => Case> = {
  'a run under checkpoints of every size but the first and the last': withFiles((files, log) => {
    everySize(files, log);
    [1, 2, 3, log.entries.length].forEach((size) => files.delete(siteCheckpointPath(size)));
  }, cosigned),
  'a run beside a cosigned checkpoint of a site': beside((log) => log.cosigned(40)),
  'a run beside checkpoints of a site, of a size that the bundle has too': () => {
    const log = sampleRun(cosigned);
    const siteCheckpoints = [
      log.cosigned(68, undefined, SampleLog.timeOf(80)),
      log.cosigned(40),
      log.note(41),
    ];
    return { ...caseOf(log), siteCheckpoints };
  },
};

/** Checkpoints in gate mode cosigned. */
export const cosignatures: Record<string, () => Case> = {
  'three of four cosignatures': withFiles(
    (files, log) => files.set('checkpoint', utf8(log.cosigned(undefined, ['site-1', 'site-2', 'site-3']))),
    cosigned,
  ),
  'no cosignature': withFiles((files, log) => files.set('checkpoint', utf8(log.note())), cosigned),
  'a forged line': withFiles(
    (files, log) =>
      files.set(
        'checkpoint',
        utf8(
          log
            .cosigned()
            .replace(/(site-5 \S{20})(\S)/, (_, head: string, c: string) => head + (c === 'A' ? 'B' : 'A')),
        ),
      ),
    cosigned,
  ),
  'no checkpoint for a gate': withFiles((files) => void files.delete(gatePath(files)), cosigned),
  'a gate that one site cosigned': withFiles(
    (files, log) => files.set(gatePath(files), utf8(log.cosigned(gateSize(files), ['site-1']))),
    cosigned,
  ),
  'a gate under another size': withFiles(
    (files, log) => files.set(gatePath(files), utf8(log.cosigned(gateSize(files) - 1))),
    cosigned,
  ),
  'a witness that goes back in time': withFiles(
    (files, log) =>
      files.set(gatePath(files), utf8(log.cosigned(gateSize(files), undefined, SampleLog.timeOf(69)))),
    cosigned,
  ),
  'one member with a time of the future': withFiles((files, log) => {
    const four = ['site-1', 'site-2', 'site-3', 'site-4'];
    const odd = log
      .cosigned(undefined, ['site-5'], SampleLog.timeOf(10 ** 6))
      .trimEnd()
      .split('\n')
      .at(-1);
    files.set('checkpoint', utf8(`${log.cosigned(undefined, four)}${odd}\n`));
    files.delete(gatePath(files));
  }, cosigned),
  'entries after their cosignature': withFiles(
    (files, log) =>
      files.set(
        gatePath(files),
        utf8(log.cosigned(gateSize(files), undefined, SampleLog.timeOf(gateSize(files)) - 700)),
      ),
    cosigned,
  ),
  'entries long before their cosignature': () => ({
    ...withFiles(
      (files, log) =>
        files.set('checkpoint', utf8(log.cosigned(undefined, undefined, SampleLog.timeOf(68) + 2 * 86_400))),
      cosigned,
    )(),
    asOf: new Date(Date.UTC(2026, 10, 23)),
  }),
  'entries after the cosignatures that only a site has kept': beside((log) =>
    log.cosigned(40, undefined, SampleLog.timeOf(40) - 700),
  ),
  'a checkpoint of a site before which its members cosigned a larger one': beside((log) =>
    log.cosigned(40, undefined, SampleLog.timeOf(69)),
  ),
  'a checkpoint of a site with a forged line': beside((log) =>
    log
      .cosigned(40)
      .replace(/(site-5 \S{20})(\S)/, (_, head: string, c: string) => head + (c === 'A' ? 'B' : 'A')),
  ),
  'an old head': () => ({ ...run(cosigned)(), asOf: new Date(Date.UTC(2026, 11, 1)) }),
  'a head of the future': () => ({ ...run(cosigned)(), asOf: new Date(Date.UTC(2026, 10, 20)) }),
};
