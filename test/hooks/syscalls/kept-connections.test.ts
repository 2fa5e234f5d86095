// Connections that are kept for the next accept, on a real listener.
import assert from 'node:assert/strict'
import { readAddress, writeAddress } from '../../../hooks/address.ts'
import { close } from '../../../hooks/linux/libc.ts'
import {
  AF_INET,
  accept,
  bind,
  connect,
  cookieOf,
  listen,
  openStream,
  POLLIN,
  poll,
  socketName,
} from '../../../hooks/linux/sockets.ts'
import type { AcceptWatch } from '../../../hooks/shared/accept-watch.ts'
import { type Kept, makeKeptConnections, takeKept } from '../../../hooks/syscalls/kept-connections.ts'
import type { Listener } from '../../../hooks/syscalls/world.ts'
import { listenerOf } from '../listener-of.ts'

const nameOf = (socket: number) => readAddress(socketName(socket) as Buffer)!
const never: AcceptWatch = { during: (_, accept) => accept(), isBell: () => false }

describe('kept connections', () => {
  let opened: number[] = []
  let copy: number
  let listener: Listener
  const open = () => {
    const socket = openStream(AF_INET, { nonBlocking: true })
    opened.push(socket)
    return socket
  }
  const taken = (): Kept => {
    const found = accept(copy, { nonBlocking: true })
    if (typeof found === 'number') throw new Error(`nothing to accept: ${found}`)
    opened.push(found.socket)
    return found
  }
  /** A connection that was accepted for a call which is gone. */
  const accepted = (): Kept => {
    connect(open(), writeAddress(AF_INET, nameOf(copy)))
    return taken()
  }
  const isReadable = () => poll([{ descriptor: copy, events: POLLIN }], 0)[0] === POLLIN

  beforeEach(() => {
    copy = open()
    bind(copy, writeAddress(AF_INET, { address: '127.0.0.1', port: 0 }))
    listen(copy, 16)
    listener = listenerOf({ cookie: cookieOf(copy)!, actual: nameOf(copy) })
  })
  afterEach(() => {
    for (const socket of opened) close(socket)
    opened = []
  })

  it('keep their listener readable until the last of them is taken, oldest first', () => {
    const kept = makeKeptConnections()
    const both = [accepted(), accepted()]
    for (const one of both) kept.put(listener, one)
    assert.ok(isReadable())
    assert.equal(takeKept(kept, copy, listener, never), both[0])
    assert.ok(isReadable())
    assert.equal(takeKept(kept, copy, listener, never), both[1])
    assert.ok(!isReadable())
    assert.equal(takeKept(kept, copy, listener, never), undefined)
  })

  it('are taken although another thread was quicker with the doorbell, and the next one rings again', () => {
    const kept = makeKeptConnections()
    const [one, other] = [accepted(), accepted()]
    kept.put(listener, one)
    const bell = open()
    let watched = 0
    const watch: AcceptWatch = {
      during(_, accept) {
        watched++
        taken() // as the other thread does
        connect(bell, writeAddress(AF_INET, listener.actual)) // as the watch does when the accept does not come back
        return accept()
      },
      isBell: peer => peer.port === nameOf(bell).port,
    }
    assert.equal(takeKept(kept, copy, listener, watch), one)
    assert.equal(watched, 1)
    assert.ok(!isReadable())
    kept.put(listener, other)
    assert.ok(isReadable())
    assert.equal(takeKept(kept, copy, listener, never), other)
  })
})
