// What standin could leave behind: processes, abstract sockets and files, found by a mark that everything it starts inherits.
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const runMark = 'STANDIN_TEST_RUN'
export type Leftover = { pid: number; command: string; program: string }

/** A fresh value of the mark; give it to what is started as `environment`. */
export function markRun(): { value: string; environment: NodeJS.ProcessEnv } {
  const value = randomUUID()
  return { value, environment: { ...process.env, [runMark]: value } }
}

/**
 * Processes, zombies left out, that carry the mark in that variable; `program` is the name of ours that it runs, such as "agent".
 */
export function processesOf(mark: string, variable = runMark): Leftover[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        if (!readFileSync(`/proc/${name}/environ`, 'latin1').includes(`${variable}=${mark}`)) return []
        readlinkSync(`/proc/${name}/exe`) // a zombie has none
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        return [{ pid: Number(name), command, program: programIn(command) }]
      } catch {
        return []
      }
    })
}

function programIn(command: string): string {
  if (/standin\.cjs serve\b|server\.cjs/.test(command)) return 'server'
  return /\/(standin|agent|hook|guard|relay)\.cjs\b/.exec(command)?.[1] ?? 'other'
}

/** Names of abstract Unix sockets of ours in this network namespace. */
export function socketsOfStandin(): string[] {
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .map(line => line.split(' ').pop() ?? '')
    .filter(name => name.startsWith('@standin'))
}

/** Files and folders of ours under the run-time and temporary folders. */
export function filesOfStandin(): string[] {
  const parents = [tmpdir(), process.env.XDG_RUNTIME_DIR].filter(
    folder => folder !== undefined && existsSync(folder),
  ) as string[]
  return parents.flatMap(parent =>
    readdirSync(parent)
      .filter(name => /^standin-\d+$|^standin$/.test(name))
      .flatMap(name => readdirSync(join(parent, name)).map(entry => join(parent, name, entry))),
  )
}

/** Resolves when `look` finds nothing more; rejects after `withinMs` and says what is still there. */
export async function untilNothing<T>(
  what: string,
  look: () => readonly T[],
  withinMs = 15_000,
): Promise<void> {
  const deadline = Date.now() + withinMs
  for (let found = look(); found.length > 0; found = look()) {
    if (Date.now() > deadline)
      throw new Error(`${what} remained for ${withinMs} ms: ${JSON.stringify(found)}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
