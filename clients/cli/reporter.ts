// Chooses the form in which a command tells what happens, by its options and its terminal.
import { fstatSync, writeSync } from 'node:fs'
import { Failure } from '../../protocol/errors.ts'
import { outputDescriptor } from './exec-options.ts'
import { jsonReporter, lineReporter, type Reporter, spinnerReporter, type Verbosity } from './report.ts'

export type ReportOptions = {
  json: boolean
  outputFd?: string | undefined
  quiet?: boolean | undefined
  verbose?: boolean | undefined
}

export async function reporterFor(options: ReportOptions): Promise<Reporter> {
  const verbosity: Verbosity = options.quiet ? 'quiet' : options.verbose ? 'verbose' : 'normal'
  const fd = outputDescriptor(options.outputFd)
  const write = fd === 2 ? (text: string) => void process.stderr.write(text) : descriptorWriter(fd)
  if (options.json) return forScripts(jsonReporter(write, verbosity))
  // In CI ora draws no spinner, only its first line again and again.
  // A terminal without a width (script, some containers and serial lines) makes ora clear an infinite number of lines.
  const canSpin =
    fd === 2 && process.stderr.isTTY && process.stderr.columns > 0 && process.env.CI === undefined
  if (!canSpin || verbosity !== 'normal') return lineReporter(write, verbosity)
  const { default: ora } = await import('ora')
  // The cursor stays and standard input is left alone: both belong to the command, and a killed client could not give them back.
  const spinner = ora({ text: 'attaching', stream: process.stderr, hideCursor: false, discardStdin: false })
  return spinnerReporter(write, verbosity, spinner)
}

/** What Node itself warns of is told as all else: a script's lines are objects, without exception. */
function forScripts(reporter: Reporter): Reporter {
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) =>
    reporter.report({ event: 'notice', level: 'log', message: `${name}: ${message}` }),
  )
  return reporter
}

/**
 * Writes to a descriptor that whoever started us opened. One that can take no more loses whole lines rather than hold the command up: the
 * rest of a line that was begun goes before the next.
 */
function descriptorWriter(fd: number): (text: string) => void {
  try {
    fstatSync(fd)
  } catch {
    throw new Failure('usage-wrong', {
      reason: `--output-fd names descriptor ${fd}, which is not open`,
      help: 'standin help exec',
    })
  }
  let rest = Buffer.alloc(0)
  const flush = () => {
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest))
    } catch {
      // EAGAIN, EPIPE or EBADF: nobody reads.
    }
  }
  return text => {
    flush()
    if (rest.length > 0) return
    const whole = Buffer.from(text)
    rest = whole
    flush()
    if (rest.length === whole.length) rest = Buffer.alloc(0)
  }
}
