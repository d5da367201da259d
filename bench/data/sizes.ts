export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;

/** What networks call 1 Gbit/s, in bytes per second. */
export const GIGABIT = 125_000_000;

/** Where the blobs of all rows are. */
export const REPOSITORY = 'bench/data';
