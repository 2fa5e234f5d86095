// How the commands that only ask speak beside their output, on standard error: sentences for people, JSON lines for scripts.
import type * as t from 'io-ts'
import type { errorLine, noticeLine } from '../../protocol/cli-output.ts'
import { errorSentences } from './report.ts'

/** LSP MessageType to the word for it in a notice. */
export const levels = { 1: 'error', 2: 'warning', 3: 'info', 4: 'log' } as const

type Line = t.TypeOf<typeof errorLine> | t.TypeOf<typeof noticeLine>

export function tell(line: Line, options: { json: boolean }): void {
  process.stderr.write(lineText(line, options))
}

/** Sentences begin with "standin: ", so that they can be told from others' in one terminal. */
export function lineText(line: Line, { json }: { json: boolean }): string {
  if (json) return `${JSON.stringify(line)}\n`
  const sentences = line.event === 'error' ? errorSentences(line.error) : [line.message]
  return sentences.map(sentence => `standin: ${sentence}\n`).join('')
}
