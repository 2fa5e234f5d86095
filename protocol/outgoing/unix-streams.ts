// Which Unix sockets are the pod's: patterns of feature.network.outgoing.unix_streams, each matched anywhere in a path, or in @NAME of an abstract one.

/** All patterns together: they travel to the guard in one message. */
export const unixPatternsLimit = 2_000
const shownCharacters = 80
/** Why a socket is this machine's, the end of a sentence. */
export const noPattern = 'no pattern of feature.network.outgoing.unix_streams matches'

export class UnixStreams {
  readonly #patterns: readonly { expression: RegExp; rule: string }[]

  /** Patterns that cannot be read match nothing: the configuration was refused for them. */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.flatMap(text => {
      const expression = expressionOf(text)
      const rule = `pattern "${text}" of feature.network.outgoing.unix_streams`
      return expression instanceof RegExp ? [{ expression, rule }] : []
    })
  }

  /** Why a socket is the pod's, the end of a sentence; undefined when it is this machine's. */
  ruleFor(name: string): string | undefined {
    return this.#patterns.find(({ expression }) => expression.test(name))?.rule
  }
}

/** What is wrong with patterns, one phrase each. */
export function unixPatternFaults(patterns: readonly string[]): string[] {
  if (patterns.length === 0) return ['it is empty; name what it is for, or leave it out']
  if (patterns.join('').length > unixPatternsLimit)
    return [`expected at most ${unixPatternsLimit} characters altogether; write fewer, or shorter ones`]
  return patterns.flatMap(text => {
    if (text === '') return ['an empty pattern would match every socket; write ".*" for that']
    const expression = expressionOf(text)
    return expression instanceof RegExp
      ? []
      : [`"${text.slice(0, shownCharacters)}" is no regular expression (${expression})`]
  })
}

/** The expression, or what JavaScript says of it. */
function expressionOf(text: string): RegExp | string {
  try {
    // Of Unicode, where an escape that means nothing is refused instead of read as its letter.
    return new RegExp(text, 'u')
  } catch (thrown) {
    return String((thrown as Error).message).replace(/^Invalid regular expression: .*: /s, '')
  }
}
