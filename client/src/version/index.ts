import { sha256, utf8 } from '@regulon/shared/crypto';
import { digestText } from '@regulon/shared/transparency';

/** Version of the daemon, as it stands in the log. */
export const DAEMON_VERSION = '0.1.0';

/**
 * Digest of the software that a daemon of this version runs, as far as it knows itself: its version.
 *
 * A researcher proposes a plan for this code and a site contributes under it (`code` of `plan.propose` and of
 * `round.contribution`); the auditor compares the two (row A3).
 */
export const DAEMON_CODE = digestText(sha256(utf8(`regulon-daemon/${DAEMON_VERSION}`)));
