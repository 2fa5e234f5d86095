// What becomes of commands when the programs that look after them are killed, under a real server.
import assert from 'node:assert/strict'
import { readdirSync, readlinkSync } from 'node:fs'
import { launch } from '../../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../../protocol/rpc/sessions.ts'
import { type Backend, startBackend } from '../../stage/backend.ts'
import { exchange } from '../../stage/callers.ts'
import { compile } from '../../stage/compile-programs.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { programOf } from '../../stage/pod.ts'
import { stateOf, statusOf, untilState } from '../../stage/process-state.ts'
import { type SmallTarget, startSmallTarget } from '../../stage/small-target.ts'

const python = '/usr/bin/python3'

describe('commands of a server', () => {
  let run: ReturnType<typeof markRun>
  let target: SmallTarget
  let backend: Backend
  let sessionId: string
  before(async () => {
    target = await startSmallTarget(8080)
  })
  after(() => target.end())
  beforeEach(async () => {
    run = markRun()
    backend = await startBackend(run.environment)
    sessionId = (await backend.connection.request(startSession, { target: target.name })).sessionId
  })
  afterEach(async () => {
    backend.child.stdin?.end()
    await untilNothing('processes of standin', () => processesOf(run.value))
  })

  const guard = () => processesOf(run.value).find(({ program }) => program === 'guard')?.pid
  /** How many supervisors a guard answers for. */
  const wards = (pid: number) =>
    readdirSync(`/proc/${pid}/fd`).filter(fd => linkOf(`/proc/${pid}/fd/${fd}`).includes('seccomp notify'))
      .length

  /** A server whose accept is trapped at each turn: without an answer it would end. */
  async function startServer(port: number) {
    const { processId, pid } = await backend.connection.request(launch, {
      sessionId,
      command: [compile('accept.c', 'c'), String(port)],
    })
    await backend.output(processId).until('the listener', line => line.startsWith('ready'))
    const serves = async () => {
      for (const id of ['a', 'b', 'c'])
        assert.equal(await exchange({ to: { address: '127.0.0.1', port }, bytes: id }), `ok ${id}`)
    }
    return { pid, serves }
  }

  /** Kills the guard, and waits until another one answers for the supervisor. */
  async function replaceGuard(): Promise<void> {
    const before = guard()!
    process.kill(before, 'SIGKILL')
    await untilState('another guard', () => {
      const pid = guard()
      return pid !== undefined && pid !== before && wards(pid) > 0
    })
  }

  it('go on when the guard is killed, and later their supervisor, as often as that happens', async () => {
    const { pid, serves } = await startServer(9901)
    for (let time = 0; time < 3; time++) await replaceGuard()
    await serves()
    process.kill(supervisorOf(pid), 'SIGKILL')
    await backend.messages.until('the loss of the supervisor', line => line.includes('was killed'))
    await serves()
  })

  it('that begin after the guard was killed are given to another one', async () => {
    await startServer(9902)
    await replaceGuard()
    const { pid, serves } = await startServer(9903)
    await untilState('two wards', () => wards(guard()!) === 2)
    process.kill(supervisorOf(pid), 'SIGKILL')
    await serves()
  })

  for (const [what, command] of [
    ['a daemon', [python, programOf('fork-setsid-fork.py'), '9900']],
    ['one without any environment', ['env', '-i', python, programOf('fork-setsid-fork.py'), '9900']],
  ] as const)
    it(`that have exited and left ${what} behind: it ends with the session although their supervisor was killed`, async () => {
      const { processId } = await backend.connection.request(launch, { sessionId, command: [...command] })
      const line = await backend.output(processId).until('the daemon', line => line.startsWith('daemon'))
      const daemon = Number(line.split(' ')[1])
      assert.deepEqual(await backend.exitOf(processId), { processId, code: 0 })
      process.kill(supervisorOf(daemon), 'SIGKILL')
      await backend.messages.until('the loss of the supervisor', line => line.includes('left behind'))
      assert.notEqual(stateOf(daemon), undefined)
      await backend.connection.request(stopSession, { sessionId })
      assert.ok([undefined, 'Z'].includes(stateOf(daemon)))
    })

  it('that run when their supervisor is killed end with the session, and what they started as well', async () => {
    const script = `env -i setsid sh -c 'echo daemon $$; exec sleep 1000' & wait`
    const { processId, pid } = await backend.connection.request(launch, {
      sessionId,
      command: ['sh', '-c', script],
    })
    const line = await backend.output(processId).until('the daemon', line => line.startsWith('daemon'))
    process.kill(supervisorOf(pid), 'SIGKILL')
    await backend.messages.until('the loss of the supervisor', line => line.includes('was killed'))
    await backend.connection.request(stopSession, { sessionId })
    for (const one of [pid, Number(line.split(' ')[1])]) assert.ok([undefined, 'Z'].includes(stateOf(one)))
  })
})

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

/** The command's parent, and that of what it left behind. */
const supervisorOf = (pid: number) => Number(statusOf(pid, 'PPid'))
