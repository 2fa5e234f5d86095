// What a client is given that runs the command itself.
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sinon from 'sinon'
import { Failure } from '../../../protocol/errors.ts'
import { openHookSocket } from '../../../server/processes/hook-socket.ts'
import { Hooks } from '../../../server/processes/hooks.ts'
import { prepare } from '../../../server/processes/prepared.ts'

describe('prepare()', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'prepared-'))
    sinon.stub(process, 'env').value({ ...process.env, XDG_RUNTIME_DIR: folder })
  })
  afterEach(async () => {
    sinon.restore()
    await rm(folder, { recursive: true })
  })

  it('that was cancelled removes the shims, and looks after no process', async () => {
    const hooks = new Hooks(() => {})
    const track = sinon.stub()
    const cancelled = new Failure('cancelled', { what: 'prepareLaunch' })
    const signal = AbortSignal.abort(cancelled)
    const socket = await openHookSocket(() => {})
    sinon.stub(hooks, 'socket').resolves(socket)
    const prepared = prepare({ hooks, track, arrived: () => {} }, { shims: ['sh'], signal })
    await assert.rejects(prepared, cancelled).finally(() => socket.close())
    assert.equal(track.callCount, 0)
    const parent = join(folder, `standin-${process.getuid?.()}`)
    assert.deepEqual(existsSync(parent) ? readdirSync(parent) : [], [])
  })
})
