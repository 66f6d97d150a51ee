/** REGULON_SECURITY=long runs the properties over more cases and over cohorts of up to 255 sites (minutes). */
export const isLong = process.env['REGULON_SECURITY'] === 'long';

/** One number for the usual form of the suite, another for the long one. */
export const effort = (usual: number, long: number): number => (isLong ? long : usual);
