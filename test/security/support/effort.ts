/** REGULON_SECURITY=long plays many more random cases, with cohorts of up to 255 sites: some ten minutes. */
export const isLong = process.env['REGULON_SECURITY'] === 'long';

/** One number for the usual form of the suite, another for the long one. */
export const effort = (usual: number, long: number): number => (isLong ? long : usual);

/** Time-out of a test whose length depends on the form, ms. */
export const TIMEOUT_MS = effort(300_000, 1_800_000);
