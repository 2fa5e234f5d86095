// Says why connections of a forward were reset: each reason at once, then with a count as long as there are more.

/** The same reason is told again no sooner. */
export const tellEveryMs = 5_000

const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the pod knows no such name',
  EAI_AGAIN: "no nameserver of the pod's could tell its address",
  ECONNREFUSED: 'nothing listens there',
  ETIMEDOUT: 'nobody answers there',
  ENETUNREACH: 'no way leads there, or the pod could not be asked within 10 s',
  EHOSTUNREACH: 'no way leads there',
  ENOENT: 'the pod has no such file',
  EACCES: 'the agent has no right to it',
  EPROTOTYPE: 'it is no stream socket',
  EOPNOTSUPP: 'a session without a target has no Unix sockets',
  ENOSYS: 'the kernel of the node is older than Linux 5.6',
}

export class Complaints {
  readonly #tell: (text: string) => void
  readonly #quiet = new Map<string, { more: number; timer: NodeJS.Timeout }>()

  constructor(tell: (text: string) => void) {
    this.#tell = tell
  }

  /** The pod could not connect to `what`. */
  add(what: string, errno: string): void {
    const quiet = this.#quiet.get(errno)
    if (quiet !== undefined) {
      quiet.more += 1
      return
    }
    this.#say(what, errno, 1)
  }

  end(): void {
    for (const { timer } of this.#quiet.values()) clearTimeout(timer)
    this.#quiet.clear()
  }

  #say(what: string, errno: string, count: number): void {
    const connections = count === 1 ? 'a connection was' : `${count} connections were`
    const why = reasons[errno] === undefined ? errno : `${reasons[errno]} (${errno})`
    this.#tell(`Cannot reach ${what} from the pod: ${why}; ${connections} reset`)
    const over = () => {
      const more = this.#quiet.get(errno)?.more ?? 0
      this.#quiet.delete(errno)
      if (more > 0) this.#say(what, errno, more)
    }
    this.#quiet.set(errno, { more: 0, timer: setTimeout(over, tellEveryMs).unref() })
  }
}
