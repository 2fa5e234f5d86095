// The server hears of each listener once, as soon as its port is wanted, and when nothing may be delivered to it any more.
import assert from 'node:assert/strict'
import type { ListeningSocket } from '../../hooks/inet-diag.ts'
import { Listeners } from '../../hooks/listeners.ts'
import { makeSharedMemory, setWanted } from '../../hooks/shared/announcements.ts'
import { listenerOf } from './listener-of.ts'

describe('listeners', () => {
  const endpoint = { address: '0.0.0.0', port: 8080 }
  const actual = { ...endpoint, port: 9000 }
  const to = { address: '127.0.0.1', port: 9000 }
  const listener = listenerOf({ cookie: 7n, inode: 70, asked: endpoint, actual })
  const socket = (inode: number, named: Partial<ListeningSocket> = {}): ListeningSocket => ({
    ...actual,
    inode,
    onlySix: false,
    ...named,
  })

  function begin(ports: number[]) {
    const said: string[] = []
    const { wanted } = makeSharedMemory()
    setWanted(wanted, ports)
    const kernel = { present: [socket(70)], held: new Set<number>() }
    const listeners = new Listeners(
      message => said.push('listener' in message ? `${message.type} ${message.listener}` : message.type),
      { all: () => kernel.present, at: () => kernel.present[0], isHeld: inode => kernel.held.has(inode) },
    )
    listeners.watch(wanted)
    return { said, wanted, listeners, kernel }
  }

  it('are told at once when their port is wanted', () => {
    const { said, listeners } = begin([8080])
    listeners.add(listener)
    assert.deepEqual(said, ['listening 7'])
  })
  it('are not told while only the port that they really have is wanted', () => {
    const { said, listeners } = begin([9000])
    listeners.add(listener)
    assert.deepEqual(said, [])
  })
  it('are told once when their port becomes wanted later', () => {
    const { said, wanted, listeners } = begin([])
    listeners.add(listener)
    setWanted(wanted, [8080])
    listeners.review()
    listeners.review()
    assert.deepEqual(said, ['listening 7'])
  })
  it('are reached while they listen', () => {
    const { said, listeners } = begin([8080])
    listeners.add(listener)
    assert.equal(listeners.reaches(to), true)
    assert.deepEqual(said, ['listening 7'])
  })
  it('are not reached when another program has their port, and are told to be closed', () => {
    const { said, listeners, kernel } = begin([8080])
    listeners.add(listener)
    kernel.present = [socket(71)]
    assert.equal(listeners.reaches(to), false)
    assert.deepEqual(said, ['listening 7', 'closed 7'])
    assert.equal(listeners.find(7n), undefined)
  })
  it('that were closed are told without any connection, once', () => {
    const { said, listeners, kernel } = begin([8080])
    listeners.add(listener)
    kernel.present = []
    listeners.look()
    listeners.look()
    assert.deepEqual(said, ['listening 7', 'closed 7'])
  })
  it('whose port was never wanted are closed without a word', () => {
    const { said, listeners, kernel } = begin([])
    listeners.add(listener)
    kernel.present = []
    listeners.look()
    assert.deepEqual(said, [])
  })
  it('that share their port are withdrawn while an outsider shares it too', () => {
    const { said, listeners, kernel } = begin([8080])
    listeners.add({ ...listener, sharesPort: true })
    kernel.present = [socket(70), socket(71, { address: '127.0.0.1' })]
    assert.equal(listeners.reaches(to), false)
    assert.deepEqual(said, ['listening 7', 'notice', 'closed 7'])
    kernel.present = [socket(70)]
    listeners.look()
    assert.equal(listeners.reaches(to), true)
    assert.deepEqual(said.slice(3), ['listening 7'])
  })
  it('that share their port are reached beside siblings, and beside one that is not known yet', () => {
    const { listeners, kernel } = begin([8080])
    listeners.add({ ...listener, sharesPort: true })
    listeners.add({ ...listener, sharesPort: true, cookie: 8n, inode: 71 })
    kernel.present = [socket(70), socket(71), socket(72)]
    kernel.held.add(72)
    assert.equal(listeners.reaches(to), true)
  })
  it('are reached beside a program that only takes other connections of that port', () => {
    const { listeners, kernel } = begin([8080])
    listeners.add({ ...listener, sharesPort: true })
    kernel.present = [
      socket(70),
      socket(71, { address: '::', onlySix: true }),
      socket(72, { address: '10.0.0.1' }),
    ]
    assert.equal(listeners.reaches(to), true)
  })
  it('that were handed down count as long as a hooked process has them', () => {
    const { said, listeners, kernel } = begin([8080])
    kernel.held.add(70)
    listeners.add({ ...listener, inherited: true })
    assert.equal(listeners.reaches(to), true)
    kernel.held.clear()
    assert.equal(listeners.reaches(to), false)
    assert.deepEqual(said, ['listening 7', 'closed 7'])
  })
})
