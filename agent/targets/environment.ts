// Reads /proc/PID/environ (proc(5)): entries that end with NUL, as they were when the program was started.

/** Entries without "=" are no variables; of two with one name the first counts, as for getenv(3). */
export function parseEnvironment(bytes: Buffer): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const entry of bytes.toString('utf8').split('\0')) {
    const equals = entry.indexOf('=')
    if (equals < 1) continue
    const name = entry.slice(0, equals)
    if (!Object.hasOwn(environment, name)) environment[name] = entry.slice(equals + 1)
  }
  return environment
}

/**
 * Whether the process has written its title over its variables since it was started, as nginx, Redis, PostgreSQL, Ruby's `$0=` and
 * setproctitle(3) do: what is there then is text without "=", or nothing but NULs.
 */
export function isOverwritten(bytes: Buffer): boolean {
  const text = bytes.toString('latin1')
  const entries = (text.endsWith('\0') ? text.slice(0, -1) : text).split('\0')
  return bytes.length > 0 && entries.some(entry => entry.indexOf('=') < 1)
}

/** Facts are answered in one control frame of at most 1 MiB; no real environment comes near this bound. */
const maxEnvironmentBytes = 512 << 10

/** Leaves out the largest variables until the rest has at most `maxBytes`; returns what was left out, by name. */
export function boundEnvironment(
  environment: Record<string, string>,
  maxBytes = maxEnvironmentBytes,
): { kept: Record<string, string>; dropped: string[] } {
  const sizes = Object.entries(environment)
    .map(([name, value]) => ({
      name,
      bytes: Buffer.byteLength(JSON.stringify(name) + JSON.stringify(value)),
    }))
    .sort((a, b) => b.bytes - a.bytes)
  let total = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
  const dropped: string[] = []
  for (const { name, bytes } of sizes) {
    if (total <= maxBytes) break
    dropped.push(name)
    total -= bytes
  }
  const kept = Object.fromEntries(Object.entries(environment).filter(([name]) => !dropped.includes(name)))
  return { kept, dropped }
}

export function droppedText(dropped: readonly string[]): string {
  return `variables too large to pass on: ${dropped.join(', ')}`
}
