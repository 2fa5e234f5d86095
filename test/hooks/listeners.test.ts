// The server hears of each listener once, as soon as its port is wanted.
import assert from 'node:assert/strict'
import { makeListeners } from '../../hooks/listeners.ts'
import { makeSharedMemory, setWanted } from '../../hooks/shared/announcements.ts'

describe('listeners', () => {
  const endpoint = { address: '0.0.0.0', port: 8080 }
  const listener = { cookie: 7n, family: 2, asked: endpoint, actual: { ...endpoint, port: 9000 } }
  const begin = (ports: number[]) => {
    const said: unknown[] = []
    const { wanted } = makeSharedMemory()
    setWanted(wanted, ports)
    const listeners = makeListeners(message => said.push(message))
    listeners.watch(wanted)
    return { said, wanted, listeners }
  }
  const message = { type: 'listening', listener: '7', asked: endpoint, actual: listener.actual }

  it('are told at once when their port is wanted', () => {
    const { said, listeners } = begin([8080])
    listeners.add(listener)
    assert.deepEqual(said, [message])
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
    assert.deepEqual(said, [message])
  })
})
