// Enters a target of this machine and serves its link until the server leaves.
import { asFailure, Failure } from '../protocol/errors.ts'
import type { AttachInvocation } from './arguments.ts'
import { listenForServer } from './link/listen.ts'
import { printFailure, printLine } from './print.ts'
import { end, serve } from './serve.ts'
import type { NamedProcess } from './target.ts'
import { parseTargetName } from './targets/name.ts'

/** Prints where it listens and then serves; ends the program itself, for a thread that waits in the kernel would hold it up. */
export async function attach(invocation: AttachInvocation): Promise<void> {
  const { session, key, graceMs } = invocation
  endWithServer()
  try {
    const { name } = await serve({
      ...{ session, publicKey: key, graceMs },
      named: processOf(invocation),
      listen: listenForServer,
    })
    printLine({ listening: name })
  } catch (error) {
    printFailure(named(error, invocation.target), `attach to ${invocation.target}`)
    end(1)
  }
}

function processOf({ target, pid, startTime }: AttachInvocation): NamedProcess {
  const name = parseTargetName(target)
  return {
    ...{ target, kind: name.kind, pid, startTime },
    ...(name.kind === 'container' ? { name: name.name, container: name.name } : {}),
  }
}

/** The server holds the other end of our standard input, so its end, however it comes, is ours. A terminal's Ctrl-C is not for us. */
function endWithServer(): void {
  process.stdin
    .on('end', () => end(0))
    .on('close', () => end(0))
    .on('error', () => end(0))
    .resume()
  process.on('SIGTERM', () => end(0))
  process.on('SIGINT', () => undefined)
  process.on('uncaughtException', error => end(1, error.stack ?? error.message))
}

/** The kernel edges know pids; the user knows the target by its name. */
function named(error: unknown, target: string): Failure {
  const failure = asFailure(error, 'attach')
  return failure.kind === 'target-ended' ? new Failure('target-ended', { target }) : failure
}
