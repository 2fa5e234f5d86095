// Ports of the pod whose callers are mirrored to ports of this machine, whichever program listens there.
import { Failure } from '../../protocol/errors.ts'
import type { Reversed } from '../../protocol/rpc/port-ends.ts'
import type { DeliveryListener } from '../incoming/listener.ts'

export class Reverses {
  readonly #sessionId: string
  readonly #onChanged: () => void
  readonly #byPodPort = new Map<number, Reversed>()
  #lastId = 0

  constructor(sessionId: string, onChanged: () => void) {
    this.#sessionId = sessionId
    this.#onChanged = onChanged
  }

  get all(): Reversed[] {
    return [...this.#byPodPort.values()]
  }

  get podPorts(): number[] {
    return [...this.#byPodPort.keys()]
  }

  /** The id. Throws `port-mirrored`. */
  add(podPort: number, localPort: number): string {
    const other = this.#byPodPort.get(podPort)
    if (other !== undefined)
      throw new Failure('port-mirrored', {
        ...{ podPort, localPort, other: other.localPort, portId: other.portId },
      })
    this.#lastId += 1
    const portId = `${this.#sessionId}-r${this.#lastId}`
    this.#byPodPort.set(podPort, { portId, podPort, localPort })
    this.#onChanged()
    return portId
  }

  /** False if there is no such id. The agent ends the copies of a port that is no longer captured. */
  close(portId: string): boolean {
    const reverse = [...this.#byPodPort.values()].find(each => each.portId === portId)
    if (reverse === undefined) return false
    this.#byPodPort.delete(reverse.podPort)
    this.#onChanged()
    return true
  }

  /** The session is over. */
  end(): void {
    this.#byPodPort.clear()
  }

  listenerFor(podPort: number): DeliveryListener | undefined {
    const reverse = this.#byPodPort.get(podPort)
    if (reverse === undefined) return undefined
    const at = { address: '127.0.0.1', port: reverse.localPort }
    return { asked: at, actual: at, announce: async () => announced }
  }
}

/** The user has named the port, so that whoever listens there is meant. */
const announced = { reached: async () => true, retract: () => {} }
