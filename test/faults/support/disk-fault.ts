/** Environment variable that carries a `DiskFault` as JSON. */
export const DISK_FAULT = 'REGULON_TEST_DISK_FAULT';

/** What `disk-faults.ts` does to a process. */
export interface DiskFault {
  /** roster id of the site whose upload is meant */
  readonly site?: number;
  /** `before` or `after`, and: write, fsync, rename, fsync of the folder, row, receipt, committed row, accepted */
  readonly killAt?: string;
  /** writes to uploads wait while this file exists */
  readonly gate?: string;
}
