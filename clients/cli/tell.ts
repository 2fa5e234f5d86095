// How the commands that only ask speak beside their output, on standard error: sentences for people, JSON lines for scripts.
import type * as t from 'io-ts'
import type { errorLine, noticeLine } from '../../protocol/cli-output.ts'
import { errorSentences, ownLines } from './report.ts'

/** LSP MessageType to the word for it in a notice. */
export const levels = { 1: 'error', 2: 'warning', 3: 'info', 4: 'log' } as const

export type TellLine = t.TypeOf<typeof errorLine> | t.TypeOf<typeof noticeLine>

type TellOptions = { json: boolean; verbose?: boolean | undefined }

export function tell(line: TellLine, options: TellOptions): void {
  process.stderr.write(lineText(line, options))
}

/** Sentences begin with "standin: ", so that they can be told from others' in one terminal. */
export function lineText(line: TellLine, { json, verbose = false }: TellOptions): string {
  if (json) return `${JSON.stringify(line)}\n`
  const sentences = line.event === 'error' ? errorSentences(line.error, { verbose }) : [line.message]
  return sentences.map(ownLines).join('')
}
