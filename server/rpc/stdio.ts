// Keeps standard output for JSON-RPC alone: whatever else writes to it, a stray print of a library included, reaches standard error.
import { Console } from 'node:console'
import type { Readable, Writable } from 'node:stream'

/** The real streams, for the transport. Everybody else sees standard error in the place of standard output from here on. */
export function claimStandardStreams(): { input: Readable; output: Writable } {
  const { stdin: input, stdout: output, stderr } = process
  // A log line that nobody reads any more must not end the server.
  stderr.on('error', () => {})
  Object.defineProperty(process, 'stdout', { get: () => stderr, configurable: true })
  globalThis.console = new Console({ stdout: stderr, stderr })
  return { input, output }
}
