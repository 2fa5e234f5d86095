// Waiting for descriptors that Node has no handle for.
import assert from 'node:assert/strict'
import { closeSync, fstatSync, writeSync } from 'node:fs'
import { openPair, sequencedCalls } from '../../../hooks/linux/sequenced.ts'
import { Readiness } from '../../../protocol/sequenced/readiness.ts'

const POLLIN = 1

function pair(): [number, number] {
  const made = openPair()
  if (typeof made === 'number') throw new Error(`no pair: ${made}`)
  return made
}

const isOpen = (descriptor: number): boolean => {
  try {
    fstatSync(descriptor)
    return true
  } catch {
    return false
  }
}

const readable = (readiness: Readiness, descriptor: number) =>
  new Promise<void>(ready => readiness.wait({ descriptor, events: POLLIN, ready }))

describe('Readiness', () => {
  it('tells of each descriptor once it is readable, also of those that come while it polls', async () => {
    const readiness = new Readiness(sequencedCalls)
    const [first, firstFar] = pair()
    const [second, secondFar] = pair()
    const both = Promise.all([readable(readiness, first), readable(readiness, second)])
    writeSync(firstFar, 'x')
    await readable(readiness, first)
    writeSync(secondFar, 'x')
    await both
    for (const descriptor of [first, second]) readiness.close(descriptor)
    for (const descriptor of [firstFar, secondFar]) closeSync(descriptor)
  })

  it('tells of a hang-up to whoever waits for nothing else', async () => {
    const readiness = new Readiness(sequencedCalls)
    const [near, far] = pair()
    const hungUp = new Promise<void>(ready => readiness.wait({ descriptor: near, events: 0, ready }))
    closeSync(far)
    await hungUp
    readiness.close(near)
    assert.equal(isOpen(near), false)
  })

  it('closes a descriptor that it polls as soon as the poll has ended, and tells nobody', async () => {
    const readiness = new Readiness(sequencedCalls)
    const [watched, watchedFar] = pair()
    const [other, otherFar] = pair()
    let told = false
    readiness.wait({
      descriptor: watched,
      events: POLLIN,
      ready: () => {
        told = true
      },
    })
    readiness.close(watched)
    assert.equal(isOpen(watched), true)
    writeSync(otherFar, 'x')
    await readable(readiness, other)
    assert.deepEqual([isOpen(watched), told], [false, false])
    readiness.close(other)
    for (const descriptor of [watchedFar, otherFar]) closeSync(descriptor)
  })
})
