// A promise whose end is decided elsewhere (Promise.withResolvers of Node 22).

export type Deferred<T> = {
  promise: Promise<T>
  resolve(value: T): void
  reject(thrown: unknown): void
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void
  let reject!: (thrown: unknown) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
