// How exec tells its user what happens: an interface with a form for terminals, for plain logs and for scripts.

import type { ExecLine } from '../../protocol/cli-output.ts'
import type { ReportedError } from '../rpc/reported-error.ts'

export type Reporter = {
  report(line: ExecLine): void
  /** Takes what is drawn off the screen: the command is about to own the terminal. */
  settle(): void
}

export type Verbosity = 'quiet' | 'normal' | 'verbose'

/** One JSON object a line. */
export function jsonReporter(write: (text: string) => void, verbosity: Verbosity): Reporter {
  return {
    report(line) {
      if (shown(line, verbosity)) write(`${JSON.stringify(line)}\n`)
    },
    settle() {},
  }
}

/** Sentences, one a line, each beginning with "standin: " so that they can be told from the command's own. */
export function lineReporter(write: (text: string) => void, verbosity: Verbosity): Reporter {
  return {
    report(line) {
      if (!shown(line, verbosity)) return
      for (const sentence of sentences(line)) write(`standin: ${sentence}\n`)
    },
    settle() {},
  }
}

export type Spinner = { text: string; start(): unknown; stop(): unknown }

/** Steps after which the command may start at any moment; a spinner would draw into its output. */
const lastSteps = ['link', 'ready']

/** As lineReporter, but the steps turn in one place. */
export function spinnerReporter(
  write: (text: string) => void,
  verbosity: Verbosity,
  spinner: Spinner,
): Reporter {
  const lines = lineReporter(write, verbosity)
  let turning = verbosity !== 'quiet'
  if (turning) spinner.start()
  const settle = () => {
    if (turning) spinner.stop()
    turning = false
  }
  return {
    settle,
    report(line) {
      if (line.event === 'step') {
        if (lastSteps.includes(line.step ?? '')) settle()
        if (turning) spinner.text = line.message
        return
      }
      if (line.event !== 'notice' && line.event !== 'session') settle()
      if (!turning) return lines.report(line)
      spinner.stop()
      lines.report(line)
      spinner.start()
    },
  }
}

/** The two lines of an error: what, and how to mend it. */
export function errorSentences(error: ReportedError): string[] {
  return [error.message, `fix: ${error.fix}`]
}

/** Whether a line is for this user; errors always are. */
function shown(line: ExecLine, verbosity: Verbosity): boolean {
  if (line.event === 'error') return true
  if (verbosity === 'quiet') return false
  return verbosity === 'verbose' || !(line.event === 'notice' && line.level === 'log')
}

function sentences(line: ExecLine): string[] {
  switch (line.event) {
    case 'step':
      return [line.elapsedMs === undefined ? line.message : `${line.message} (${line.elapsedMs} ms)`]
    case 'ready': {
      const where = [line.hostname, ...line.addresses].join(', ')
      const ports = line.ports.length === 0 ? 'no port yet' : `port ${line.ports.join(', ')}`
      return [`standing in for ${line.target} (${where}; ${ports})`]
    }
    case 'session':
      return sessionSentences(line)
    case 'notice':
      return [line.message]
    case 'exit':
      return []
    case 'error':
      return errorSentences(line.error)
  }
}

/** A beginning is told by the steps, or by the error of startSession, and an end by a notice of the server. */
function sessionSentences({ state, reason, attempt }: ExecLine & { event: 'session' }): string[] {
  if (state !== 'reconnecting' || reason === undefined) return []
  return [`session reconnecting: ${reason}${attempt === undefined ? '' : ` (attempt ${attempt})`}`]
}
