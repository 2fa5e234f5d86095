// The versions that standin reports: its own, and that of the wire between server, agent and hooks.

/** The version of the package; `npm run generate` writes it from package.json. */
export const version = '0.1.0'

/** The version of the link's frames. Server and agent come from one bundle, so a difference is always a mistake and is refused. */
export const linkVersion = 1
