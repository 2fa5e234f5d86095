// A real terminal for journeys: script(1) of util-linux gives a command a pseudo-terminal whose keys are written and whose screen is read here.
import { spawn } from 'node:child_process'

export type Terminal = {
  /** Everything shown so far. */
  screen(): string
  /** Types keys; "\x03" is Ctrl-C, "\x1a" Ctrl-Z, "\x1c" Ctrl-\. */
  type(keys: string): void
  /** Resolves when the text shown since `from` (an offset into screen()) matches, with the offset behind the match; rejects after `withinMs`. */
  until(what: string, matches: RegExp, from?: number, withinMs?: number): Promise<number>
  /** Exit code of the command, once it and its terminal ended. */
  readonly ended: Promise<number>
  /** Takes the terminal away. */
  end(): Promise<void>
}

/**
 * `columns` 0 leaves the terminal without a size, as some containers do. The shell that script(1) starts gives its place to the command: one
 * that stayed would be ended by Ctrl-C, and its code would be taken for the command's.
 */
export function openTerminal(
  command: string,
  environment: NodeJS.ProcessEnv = process.env,
  options: { columns?: number } = {},
): Terminal {
  const size = options.columns === 0 ? '' : `stty cols ${options.columns ?? 100} rows 30; `
  const child = spawn('script', ['-qefc', `${size}exec ${command}`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Whoever sits before a terminal is no CI, for which nothing is drawn.
    env: { ...environment, CI: undefined, TERM: 'xterm', SHELL: '/bin/sh', PS1: 'prompt> ' },
  })
  let text = ''
  const looks = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', chunk => {
    text += chunk
    for (const look of [...looks]) look()
  })
  const ended = new Promise<number>(resolve => child.on('close', code => resolve(code ?? 128)))
  return {
    ended,
    screen: () => text,
    type: keys => void child.stdin.write(keys),
    until(what, matches, from = 0, withinMs = 10_000) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          looks.delete(look)
          reject(
            new Error(
              `${what} was not shown within ${withinMs} ms; the screen: ${JSON.stringify(text.slice(from))}`,
            ),
          )
        }, withinMs)
        const look = () => {
          const found = matches.exec(text.slice(from))
          if (found === null) return
          clearTimeout(timer)
          looks.delete(look)
          resolve(from + found.index + found[0].length)
        }
        looks.add(look)
        look()
      })
    },
    async end() {
      // The kernel hangs up on everything in a terminal whose other end is gone.
      child.kill('SIGKILL')
      await ended
    },
  }
}
