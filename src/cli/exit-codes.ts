/** What the process says when it ends. */
export const DONE = 0;
export const FAILED = 1;
/** The command line or the configuration is wrong, or an address of it cannot be bound. */
export const USAGE = 2;
