// Which steps of attaching are worth a line of their own, and how one that lasts is shown.
import type { ExecLine } from '../../protocol/cli-output.ts'
import { printable } from './table.ts'

type Step = ExecLine & { event: 'step' }

/** How often a reason that stays is repeated in a plain log. */
const repeatMs = 5_000

/**
 * Remembers what was told, and lets everything pass but a step in the same words. Without `everyChange`, words that differ in their numbers
 * alone ("12 s", "13 s") pass once in 5 s.
 */
export function stepFilter({ everyChange }: { everyChange: boolean }): (line: ExecLine) => boolean {
  let last: Step | undefined
  return line => {
    if (line.event !== 'step') return true
    const isNews = last === undefined || differs(last, line, everyChange)
    if (isNews) last = line
    return isNews
  }
}

function differs(last: Step, line: Step, everyChange: boolean): boolean {
  if (last.step !== line.step) return true
  if (everyChange || words(last.message) !== words(line.message)) return last.message !== line.message
  const passedMs = (line.elapsedMs ?? 0) - (last.elapsedMs ?? 0)
  return last.message !== line.message && passedMs >= repeatMs
}

function words(text: string): string {
  return text.replace(/\d+(\.\d+)?/g, '#')
}

/** A step that takes longer than this is shown with its seconds. */
const longStepMs = 2_000

/** Keeps the words of the step at hand in one place, with the seconds that it has taken, counted on between what the server tells. */
export function waitingText(set: (text: string) => void): { show(line: Step): void; end(): void } {
  let step: string | undefined
  let beganAt = 0
  let reason = ''
  const draw = () => {
    const ms = Date.now() - beganAt
    set(ms < longStepMs ? reason : `${reason}, ${Math.floor(ms / 1_000)} s`)
  }
  let timer: NodeJS.Timeout | undefined
  return {
    show(line) {
      const told = /, (\d+) s$/.exec(line.message)
      reason = printable(told === null ? line.message : line.message.slice(0, told.index))
      if (line.step !== step) beganAt = Date.now() - Number(told?.[1] ?? 0) * 1_000
      step = line.step
      timer ??= setInterval(draw, 1_000).unref()
      draw()
    },
    end() {
      clearInterval(timer)
      timer = undefined
    },
  }
}
