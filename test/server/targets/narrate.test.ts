// What a user is told while an agent starts: each step and each change of it once, and a step that takes long again.
import assert from 'node:assert/strict'
import { Narrator } from '../../../server/targets/narrate.ts'

function narrated() {
  const told: string[] = []
  let nowMs = 0
  const narrator = new Narrator(
    (step, message) => told.push(`${step}: ${message}`),
    () => nowMs,
  )
  return {
    told,
    tell: (atMs: number, step: string, message: string) => {
      nowMs = atMs
      narrator.tell(step, message)
    },
  }
}

describe('Narrator', () => {
  it('tells each step once, and what changes in it at once', () => {
    const { told, tell } = narrated()
    tell(0, 'job', 'creating')
    tell(10, 'job', 'creating')
    tell(20, 'schedule', 'waiting')
    tell(1_500, 'schedule', 'not enough cpu')
    assert.deepEqual(told, ['job: creating', 'schedule: waiting', 'schedule: not enough cpu, 1 s'])
  })
  it('tells a step that waits again after 3, 10, 20 and 30 s, and every 30 s from there on', () => {
    const { told, tell } = narrated()
    for (let second = 0; second <= 120; second++) tell(second * 1_000, 'pull', 'pulling image')
    assert.deepEqual(told, [
      'pull: pulling image',
      ...[3, 10, 20, 30, 60, 90, 120].map(seconds => `pull: pulling image, ${seconds} s`),
    ])
  })
})
