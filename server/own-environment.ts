// The environment that the server's own children start with.

/** The server's environment without its secrets: no child needs the token, and a command would show it in /proc. */
export function ownEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name]) => name !== 'STANDIN_TOKEN')
  return Object.fromEntries(entries.map(([name, value]) => [name, value ?? '']))
}
