// Waits with an end: for promises that another program has to fulfil.

/** Whether the promise was settled within `timeoutMs`; its failure counts as settled. */
export function settledWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve(false), timeoutMs)
    const settled = () => {
      clearTimeout(timer)
      resolve(true)
    }
    promise.then(settled, settled)
  })
}

/** The promise's value, or what `otherwise` throws when it takes longer than `timeoutMs`. */
export async function within<T>(promise: Promise<T>, timeoutMs: number, otherwise: () => Error): Promise<T> {
  if (await settledWithin(promise, timeoutMs)) return promise
  throw otherwise()
}

/** Rejects with the signal's reason as soon as it aborts; otherwise behaves as the promise. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => {})
    return Promise.reject(signal.reason)
  }
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
