// Announced connections in shared memory: found by their source, by nobody else, as long as they are announced.
import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'
import {
  isWanted,
  makeSharedMemory,
  openAnnouncements,
  setWanted,
} from '../../../hooks/shared/announcements.ts'

const source = { address: '127.0.0.1', port: 20001 }
const shown = { caller: { address: '10.1.0.9', port: 40000 }, pod: { address: '10.1.0.2', port: 8080 } }
const six = {
  caller: { address: 'fd00::9', port: 40000 },
  pod: { address: 'fd00::2', port: 8080 },
}

const isEnding = () => true
const isOpen = () => false

describe('announcements', () => {
  const open = () => openAnnouncements(makeSharedMemory().announcements)

  it('are found by their source', () => {
    const announcements = open()
    announcements.put(1, source, shown)
    assert.deepEqual(announcements.find(source), shown)
  })
  it('keep IPv4 and IPv6 sources of one port apart', () => {
    const announcements = open()
    announcements.put(1, source, shown)
    announcements.put(2, { address: '::1', port: 20001 }, six)
    assert.deepEqual(announcements.find(source), shown)
    assert.deepEqual(announcements.find({ address: '::1', port: 20001 }), six)
  })
  it('are not found from another loopback address with the same port', () => {
    const announcements = open()
    announcements.put(1, source, shown)
    assert.equal(announcements.find({ address: '127.0.0.2', port: 20001 }), undefined)
  })
  it('are taken once, so that a later connection from that port is shown as it is', () => {
    const announcements = open()
    announcements.put(1, source, shown)
    assert.deepEqual(announcements.take(source, isOpen), shown)
    assert.equal(announcements.take(source, isOpen), undefined)
    announcements.retract(1)
    assert.equal(announcements.take(source, isEnding), undefined)
  })
  it('are replaced by a later one of the same source', () => {
    const announcements = open()
    announcements.put(1, source, six)
    announcements.put(2, source, shown)
    assert.deepEqual(announcements.find(source), shown)
  })
  it('are gone after their retraction, but for what still ends of their own connection', () => {
    const announcements = open()
    announcements.put(1, source, shown)
    announcements.retract(1)
    assert.equal(announcements.find(source), undefined)
    assert.equal(announcements.take(source, isOpen), undefined)
    assert.deepEqual(announcements.take(source, isEnding), shown)
    assert.equal(announcements.take(source, isEnding), undefined)
  })
  it('outlive the retraction of an earlier one of the same source', () => {
    const announcements = open()
    announcements.put(1, source, six)
    announcements.put(2, source, shown)
    announcements.retract(1)
    assert.deepEqual(announcements.find(source), shown)
  })
  it('hold one of every port and family at once', () => {
    const announcements = open()
    for (let port = 1; port < 65536; port++) announcements.put(port, { address: '127.0.0.1', port }, shown)
    for (let port = 1; port < 65536; port++)
      assert.notEqual(announcements.find({ address: '127.0.0.1', port }), undefined)
  })
  it('are in force in another thread that is blocked, without a message to it', async () => {
    const memory = makeSharedMemory()
    const gate = new SharedArrayBuffer(4)
    // The thread sleeps outside of its event loop, as the answerer does in the kernel, and then reads the slot of port 20001.
    const worker = new Worker(
      `const { workerData, parentPort } = require('node:worker_threads')
       parentPort.postMessage('asleep')
       Atomics.wait(new Int32Array(workerData.gate), 0, 0)
       parentPort.postMessage(Atomics.load(new Int32Array(workerData.slots), (20001 * 80) / 4))`,
      { eval: true, workerData: { gate, slots: memory.announcements } },
    )
    const said: unknown[] = []
    await new Promise<void>((resolve, reject) => {
      worker.on('error', reject)
      worker.on('exit', () => resolve())
      worker.on('message', message => {
        said.push(message)
        if (message !== 'asleep') return
        openAnnouncements(memory.announcements).put(1, source, shown)
        Atomics.store(new Int32Array(gate), 0, 1)
        Atomics.notify(new Int32Array(gate), 0)
      })
    })
    assert.deepEqual(said, ['asleep', 1])
  })
})

describe('wanted ports', () => {
  it('are exactly those that were set last', () => {
    const { wanted } = makeSharedMemory()
    setWanted(wanted, [80, 8080])
    setWanted(wanted, [8080, 65535])
    assert.deepEqual(
      [80, 8080, 65535, 0].map(port => isWanted(wanted, port)),
      [false, true, true, false],
    )
  })
})
