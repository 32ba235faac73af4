/** Wrong usage: reported on stderr, with status 2. */
export class UsageError extends Error {}
