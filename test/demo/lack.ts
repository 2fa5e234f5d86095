// What this machine does not let the demo do, found while it runs.

/** Its message is one sentence that says what is missing and how to get it. */
export class Lack extends Error {}
