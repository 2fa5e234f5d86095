// Copies of sockets that processes have, found where they were when they were last seen, or wherever else a hooked process has them.
import { type Descriptors, makeDescriptors } from './linux/descriptors.ts'
import { close } from './linux/libc.ts'
import { markedProcesses, socketDescriptors } from './linux/processes.ts'
import { cookieOf } from './linux/sockets.ts'
import type { Place } from './shared/connecting.ts'

export class Copies {
  readonly #descriptors: Descriptors = makeDescriptors()

  constructor(readonly processId: string) {}

  /** The caller closes it. */
  of({ place, cookie, inode }: { place: Place; cookie: bigint; inode: number }): number | undefined {
    const copy = this.at(place, cookie)
    if (copy !== undefined) return copy
    for (const pid of markedProcesses(this.processId)) {
      const descriptor = socketDescriptors(pid).get(String(inode))
      const found = descriptor === undefined ? undefined : this.at({ thread: pid, descriptor }, cookie)
      if (found !== undefined) return found
    }
    return undefined
  }

  at({ thread, descriptor }: Place, cookie: bigint): number | undefined {
    const copy = this.#descriptors.copy(thread, descriptor)
    if (copy < 0) return undefined
    if (cookieOf(copy) === cookie) return copy
    close(copy)
    return undefined
  }
}
