// Watches the editor's process, since not every way to die closes its pipes (a child that inherited them keeps them open).

const pollMs = 2_000

/** Calls `onGone` once when the process does not exist any more. Only ESRCH says so: EPERM means that it lives as another user. */
export function watchProcess(processId: number, onGone: () => void): () => void {
  const look = () => {
    if (exists(processId)) return
    clearInterval(timer)
    onGone()
  }
  const timer = setInterval(look, pollMs)
  timer.unref()
  return () => clearInterval(timer)
}

function exists(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
