// The server's log: lines to standard error or a file, never to standard output.
import { appendFileSync, closeSync, openSync } from 'node:fs'

export const logLevels = ['error', 'warning', 'info', 'debug'] as const
export type LogLevel = (typeof logLevels)[number]

export type Log = {
  readonly level: LogLevel
  write(level: LogLevel, text: string): void
  close(): void
}

/** Lines are cut here, so that what a child process prints cannot fill a disk with one line. */
const maxLineCharacters = 4000

/** Throws the system's error when the file cannot be opened. */
export function openLog(options: { level: LogLevel; file?: string | undefined }): Log {
  const descriptor = options.file === undefined ? undefined : openSync(options.file, 'a', 0o600)
  const most = logLevels.indexOf(options.level)
  return {
    level: options.level,
    write(level, text) {
      if (logLevels.indexOf(level) > most) return
      const line = `${new Date().toISOString()} ${level} ${text.slice(0, maxLineCharacters)}\n`
      try {
        if (descriptor === undefined) process.stderr.write(line)
        else appendFileSync(descriptor, line)
      } catch {
        // A full disk or a closed terminal must not end a session.
      }
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor)
    },
  }
}
