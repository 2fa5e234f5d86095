// Ends child processes of the server, and knows when they are gone.
import type { ChildProcess } from 'node:child_process'
import { settledWithin } from './deadline.ts'

/** Resolves when the child is gone and reaped, or could not be started. Ask for it at once after the spawn. */
export function childGone(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    child.once('exit', () => resolve())
    child.once('error', () => {
      if (child.pid === undefined) resolve()
    })
  })
}

/** Waits for a child that was asked to end; kills it after `patienceMs`. */
export async function awaitEnd(child: ChildProcess, gone: Promise<void>, patienceMs: number): Promise<void> {
  if (await settledWithin(gone, patienceMs)) return
  child.kill('SIGKILL')
  await gone
}
