/** Ten years: no duration of a report is longer, so that sums of them stay finite. */
export const longestMs = 315_360_000_000

/** The last moment that a Date has, ms since the epoch. */
export const lastMomentMs = 8_640_000_000_000_000
