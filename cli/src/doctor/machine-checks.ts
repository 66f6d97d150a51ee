import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import { bytesText } from '../output/index.js';
import { failed, type Finding, ok, warning } from './row.js';

const DRAW_BYTES = 32;
/** Below this nothing fits, whatever the model. */
const LEAST_FREE_BYTES = 256e6;
/** Files of a round at a site: model, update, masked vector, sum. */
const FILES_A_ROUND = 4;
const ROUNDS_KEPT = 2;

/** D16: keys, masks and shares must come from the operating system's generator. */
export function checkRandomness(environment: Readonly<Record<string, string | undefined>>): Finding {
  const preloaded = /--(require|import|loader|experimental-loader)\b|(^|\s)-r\s/.exec(
    environment['NODE_OPTIONS'] ?? '',
  );
  if (preloaded) {
    return failed(
      'NODE_OPTIONS loads code before the daemon, which could replace the generator',
      'unset NODE_OPTIONS',
    );
  }
  if (process.platform === 'linux' && !statSync('/dev/urandom').isCharacterDevice()) {
    return failed('/dev/urandom is not a device', 'restore it; see random(4)');
  }
  const [first, second] = [randomBytes(DRAW_BYTES), randomBytes(DRAW_BYTES)];
  if (first.equals(second)) return failed('two draws are equal', 'do not use this machine');
  return ok("the operating system's generator");
}

/** D17. @param version as `process.versions.node` */
export function checkRuntime(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const supported = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
  if (!supported) return failed(`Node ${version}`, 'install Node 20.19 or newer, 22 recommended');
  if (major === 20) return warning(`Node ${version}: its support has ended`, 'plan the move to Node 22');
  // seen with 24.21: better-sqlite3 12 frees a statement or database while no context is entered, and Node aborts
  if (major > 24 || (major === 24 && minor >= 19))
    return warning(`Node ${version}: the database driver may end the process (SIGABRT)`, 'run it on Node 22');
  return ok(`Node ${version}`);
}

/** D8: write and fsync in every folder that the daemon writes to. @throws what the system says against it */
export function checkFolders(folders: readonly string[], dataFolder: string): Finding {
  for (const folder of folders) {
    if (liesIn(dataFolder, folder)) {
      return failed(`${folder} lies on the data mount`, 'move the state folder to a disk of its own');
    }
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const probe = join(folder, `.doctor-${process.pid}`);
    const file = openSync(probe, 'w', 0o600);
    try {
      writeSync(file, 'probe');
      fsyncSync(file);
    } finally {
      closeSync(file);
      rmSync(probe, { force: true });
    }
  }
  return ok(`${folders.length} writable`);
}

function liesIn(outer: string, inner: string): boolean {
  const way = relative(outer, inner);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** D9. @param maxParameters of the site policy: the largest model that may come */
export function checkDisk(folder: string, maxParameters: number): Finding {
  const place = existsSync(folder) ? folder : '.';
  const { bavail, bsize } = statfsSync(place);
  const free = bavail * bsize;
  const need = ROUNDS_KEPT * FILES_A_ROUND * 4 * maxParameters;
  if (free < LEAST_FREE_BYTES)
    return failed(`${bytesText(free)} free`, `free at least ${bytesText(LEAST_FREE_BYTES)}`);
  const enough = `two rounds of the largest model that the policy allows take ${bytesText(need)}`;
  return free < need
    ? warning(`${bytesText(free)} free; ${enough}`, 'free disk space, or lower maxParameters of the policy')
    : ok(`${bytesText(free)} free; ${enough}`);
}
