// A cable out of this network namespace for the tests of one describe, by which this machine would reach the world, and a list of the datagrams on it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { type Lines, linesOf } from './lines.ts'

const device = 'wire0'
const peer = 'wire1'
const hardware = '02:00:00:00:00:01'

/** A datagram that left this machine. */
export type Left = { to: string; from: string; payload: string }

/** Our addresses on the cable, those of a machine at its other end, and some beyond it. */
export const wire = {
  device,
  ours: { four: '10.78.0.1', six: 'fd78::1' },
  neighbour: { four: '10.78.0.2', six: 'fd78::2' },
  beyond: { four: '198.51.100.7', six: '2001:db8::7' },
  broadcast: '10.78.0.255',
}

const ip = (line: string) => void execFileSync('ip', line.split(' '))

/** To be called in the describe. The cable is gone after it, for other tests of the same run rely on having no way out. */
export function layWire(): { left(last: string): Promise<Left[]> } {
  let watcher: ChildProcess
  let lines: Lines
  let taken = 0
  before(async () => {
    ip(`link add ${device} type veth peer name ${peer}`)
    for (const end of [device, peer]) ip(`link set ${end} up`)
    ip(`address add ${wire.ours.four}/24 broadcast + dev ${device}`)
    ip(`address add ${wire.ours.six}/64 dev ${device} nodad`)
    // Nobody answers there, so that no datagram may wait for an address to be resolved.
    for (const address of Object.values(wire.neighbour))
      ip(`neighbour add ${address} lladdr ${hardware} dev ${device} nud permanent`)
    ip(`route add 198.51.100.0/24 via ${wire.neighbour.four}`)
    ip(`route add 239.0.0.0/8 dev ${device}`)
    ip(`-6 route add 2001:db8::/32 via ${wire.neighbour.six}`)
    watcher = spawn('/usr/bin/python3', [resolve('test/programs/watch-datagrams.py'), device], {
      stdio: 'pipe',
    })
    lines = linesOf(watcher.stdout)
    await lines.until('the watcher', line => line === 'ready')
  })
  after(async () => {
    ip(`link delete ${device}`)
    watcher.stdin?.end()
    if (watcher.exitCode === null) await once(watcher, 'exit')
  })
  const all = () => lines.all.slice(1).map(line => JSON.parse(line) as Left)
  return {
    /** What left since the last time, before the datagram with that payload, which is sent from outside of the session. */
    async left(last) {
      await sendPlainly(last)
      await lines.until(`"${last}" on the wire`, line => line.includes(JSON.stringify(last)))
      const [from, to] = [taken, all().length]
      taken = to
      return all()
        .slice(from, to)
        .filter(({ payload }) => payload !== last)
    },
  }
}

function sendPlainly(payload: string): Promise<void> {
  const socket = createSocket('udp4')
  return new Promise((done, fail) =>
    socket.send(payload, 9, wire.neighbour.four, error => {
      socket.close()
      if (error === null) done()
      else fail(error)
    }),
  )
}
