// What exec does with signals: the command shares our terminal and process group, so most of them are its business, not ours.

export type SignalState = {
  /** Whether the command may have started; before that, Ctrl-C and Ctrl-Z are for us. */
  commandRuns(): boolean
  /** Ctrl-C before the command, or the second request to end. */
  giveUp(signal: NodeJS.Signals): void
  /** The first SIGTERM or SIGHUP. */
  passOn(signal: NodeJS.Signals): void
}

/**
 * Ctrl-C, Ctrl-\ and Ctrl-Z reach the command from the terminal itself; handlers that do nothing keep us alive for its exit code (ignoring them
 * would be inherited by the command). When the command stops, the supervisor stops us with SIGSTOP, and the shell's `fg` continues all.
 * SIGTERM and SIGHUP may be sent to us alone: the first is passed on, a second one ends everything.
 */
export function watchSignals(state: SignalState): void {
  let asked = false
  for (const signal of ['SIGINT', 'SIGQUIT'] as const)
    process.on(signal, () => {
      if (!state.commandRuns()) state.giveUp(signal)
    })
  process.on('SIGTSTP', () => {
    if (!state.commandRuns()) process.kill(process.pid, 'SIGSTOP')
  })
  for (const signal of ['SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (asked || !state.commandRuns()) return state.giveUp(signal)
      asked = true
      state.passOn(signal)
    })
}
