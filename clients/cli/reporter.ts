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
  if (options.json) return jsonReporter(write, verbosity)
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

/** Writes to a descriptor that whoever started us opened; one that can take no more loses the line rather than hold the command up. */
function descriptorWriter(fd: number): (text: string) => void {
  try {
    fstatSync(fd)
  } catch {
    throw new Failure('usage-wrong', {
      reason: `--output-fd names descriptor ${fd}, which is not open`,
      help: 'standin help exec',
    })
  }
  return text => {
    try {
      writeSync(fd, text)
    } catch {
      // EAGAIN, EPIPE or EBADF: nobody reads.
    }
  }
}
