// How exec tells its user what happens: an interface with a form for terminals, for plain logs and for scripts.

import type { ExecLine } from '../../protocol/cli-output.ts'
import type { ReportedError } from '../rpc/reported-error.ts'
import { connectionSentence } from './connection-sentence.ts'
import { stepFilter, waitingText } from './steps.ts'
import { printable } from './table.ts'

export type Reporter = {
  report(line: ExecLine): void
  /** Takes what is drawn off the screen: the command is about to own the terminal. */
  settle(): void
}

export type Verbosity = 'quiet' | 'normal' | 'verbose'

/** One JSON object a line. */
export function jsonReporter(write: (text: string) => void, verbosity: Verbosity): Reporter {
  const isNews = stepFilter({ everyChange: true })
  return {
    report(line) {
      if (shown(line, verbosity) && isNews(line)) write(`${JSON.stringify(line)}\n`)
    },
    settle() {},
  }
}

/** Sentences, one a line, each beginning with "standin: " so that they can be told from the command's own. */
export function lineReporter(write: (text: string) => void, verbosity: Verbosity): Reporter {
  const isNews = stepFilter({ everyChange: false })
  return {
    report(line) {
      if (!shown(line, verbosity) || !isNews(line)) return
      const verbose = verbosity === 'verbose'
      for (const sentence of sentences(line, { verbose })) write(ownLines(sentence))
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
  const waits = waitingText(text => {
    spinner.text = text
  })
  const settle = () => {
    waits.end()
    if (turning) spinner.stop()
    turning = false
  }
  return {
    settle,
    report(line) {
      if (line.event === 'step') {
        if (lastSteps.includes(line.step ?? '')) settle()
        if (turning) waits.show(line)
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

/** What is wrong and how to mend it; with `verbose` also what helps to find the cause. */
export function errorSentences(error: ReportedError, { verbose }: { verbose: boolean }): string[] {
  const detail = verbose && error.detail !== undefined ? [`detail: ${error.detail}`] : []
  return [error.message, `fix: ${error.fix}`, ...detail]
}

/** A sentence as whole lines of ours, so that it can be told from the command's output; its words may come from a cluster. */
export function ownLines(sentence: string): string {
  const lines = sentence.trimEnd().split('\n')
  return lines.map(line => `standin: ${printable(line.trimEnd())}\n`).join('')
}

/** Whether a line is for this user; errors always are. */
function shown(line: ExecLine, verbosity: Verbosity): boolean {
  if (line.event === 'error' || (line.event === 'notice' && line.level === 'error')) return true
  if (verbosity === 'quiet') return false
  return verbosity === 'verbose' || !(line.event === 'notice' && line.level === 'log')
}

function sentences(line: ExecLine, options: { verbose: boolean }): string[] {
  switch (line.event) {
    case 'step':
      return [line.elapsedMs === undefined ? line.message : `${line.message} (${duration(line.elapsedMs)})`]
    case 'ready': {
      const where = [line.hostname, ...line.addresses].join(', ')
      if (line.target === 'targetless') return [`standing in for no pod: connections leave from ${where}`]
      const ports = line.ports.length === 0 ? 'no port yet' : `port ${line.ports.join(', ')}`
      return [`standing in for ${line.target} (${where}; ${ports})`]
    }
    case 'session':
      return sessionSentences(line)
    case 'notice':
      return [line.message]
    case 'outgoingOpened':
    case 'outgoingFailed':
    case 'outgoingUndelivered':
    case 'outgoingClosed':
    case 'outgoingStayed':
    case 'lookedUp':
      return [connectionSentence(line)]
    case 'exit':
      return []
    case 'error':
      return errorSentences(line.error, options)
  }
}

/** A beginning is told by the steps, or by the error of startSession, and an end by a notice of the server. */
function sessionSentences({ state, reason, attempt }: ExecLine & { event: 'session' }): string[] {
  if (state !== 'reconnecting' || reason === undefined) return []
  return [`session reconnecting: ${reason}${attempt === undefined ? '' : ` (attempt ${attempt})`}`]
}

function duration(ms: number): string {
  return ms < 10_000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`
}
