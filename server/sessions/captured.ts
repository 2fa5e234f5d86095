// Tells which ports of the pod are captured: what callers say before that is the pod's alone.
import type { Client } from '../rpc/client.ts'

export class Captured {
  #ports: readonly number[] = []

  constructor(readonly client: Pick<Client, 'log'>) {}

  /** For whoever waits for it, in a test or a script: each port once. */
  tell(ports: readonly number[]): void {
    const added = ports.filter(port => !this.#ports.includes(port))
    this.#ports = ports
    for (const port of added) this.client.log('info', `Port ${port} of the pod is captured`)
  }

  /** Another agent captures nothing until it is told. */
  forget(): void {
    this.#ports = []
  }
}
