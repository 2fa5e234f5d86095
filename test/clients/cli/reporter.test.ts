// What is written to a descriptor that whoever started the client named.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import sinon from 'sinon'
import { reporterFor } from '../../../clients/cli/reporter.ts'

describe('reporterFor() a named descriptor', () => {
  let written = ''
  /** What it takes before it is full. */
  let room = 0
  const warnings = process.listeners('warning')
  beforeEach(() => {
    written = ''
    sinon.stub(fs, 'fstatSync')
    sinon.stub(fs, 'writeSync').callsFake(((_: number, bytes: Buffer) => {
      if (room === 0) throw Object.assign(new Error('full'), { code: 'EAGAIN' })
      const taken = bytes.subarray(0, Math.min(room, 10))
      room -= taken.length
      written += taken
      return taken.length
    }) as typeof fs.writeSync)
    syncBuiltinESMExports()
  })
  afterEach(() => {
    sinon.restore()
    syncBuiltinESMExports()
    process.removeAllListeners('warning')
    for (const listener of warnings) process.on('warning', listener)
  })

  it('that is full loses whole lines, and never the rest of one that was begun', async () => {
    const reporter = await reporterFor({ json: true, outputFd: '9' })
    const line = (exitCode: number) => `{"event":"exit","exitCode":${exitCode}}\n`
    room = line(1).length + 5
    for (const exitCode of [1, 2, 3]) reporter.report({ event: 'exit', exitCode })
    assert.equal(written, `${line(1)}${line(2).slice(0, 5)}`)
    room = 3
    reporter.report({ event: 'exit', exitCode: 4 })
    room = 1_000
    reporter.report({ event: 'exit', exitCode: 5 })
    assert.equal(written, line(1) + line(2) + line(5))
  })

  it('gives a script what Node itself warns of as an object', async () => {
    await reporterFor({ json: true, outputFd: '9', verbose: true })
    room = 1_000
    process.emitWarning('too many listeners', 'SomeWarning')
    await new Promise(setImmediate)
    const notice = { event: 'notice', level: 'log', message: 'SomeWarning: too many listeners' }
    assert.equal(written, `${JSON.stringify(notice)}\n`)
  })
})
