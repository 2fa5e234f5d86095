// A client that sends more than anybody answers, or that takes back what it asked for, is still heard.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { filesOfStandin, markRun, processesOf, untilNothing } from '../stage/leftovers.ts'
import { type Answer, type RawServer, startRawServer } from '../stage/raw-server.ts'
import { type SmallTarget, startSmallTarget } from '../stage/small-target.ts'

const run = markRun()
const ours = () => processesOf(run.value).filter(({ command }) => !command.startsWith(process.execPath))
const kindOf = ({ error }: Answer) => error?.data.kind ?? 'none'

describe('a client that does not wait for answers', () => {
  let server: RawServer
  let target: SmallTarget
  let sessionId: string
  before(async () => {
    target = await startSmallTarget(8080)
  })
  after(() => target.end())
  beforeEach(async () => {
    server = startRawServer(['--stdio'], run.environment)
    await server.client.ask('initialize', {})
    const { result } = await server.client.ask('startSession', { target: target.name })
    sessionId = String(result?.sessionId)
  })
  afterEach(async () => {
    server.child.kill('SIGKILL')
    await server.ended
    await untilNothing('processes of standin', () => processesOf(run.value))
    assert.deepEqual(filesOfStandin(), [])
  })

  const launchDeaf = async () => {
    const command = ['sleep', '1000']
    const { result } = await server.client.ask('launch', { sessionId, command, stdin: 'pipe' })
    return String(result?.processId)
  }
  const write = (processId: string, data: string, ids: Iterable<number>) => {
    for (const id of ids)
      server.client.send({ id: `w${id}`, method: 'writeProcess', params: { processId, data } })
  }
  const answered = (id: string) => server.client.until(`an answer to ${id}`, answer => answer.id === id)
  const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index)
  const exitOf = (processId: string) =>
    server.client.until('the exit', ({ params }) => params?.processId === processId && 'signal' in params)

  it('can signal a process that never reads, whatever waits for it, and every write is answered once', async () => {
    const processId = await launchDeaf()
    const answers = new Map<unknown, string[]>()
    server.client.onMessage = answer => {
      if (String(answer.id).startsWith('w'))
        answers.set(answer.id, [...(answers.get(answer.id) ?? []), kindOf(answer)])
    }
    write(processId, 'x'.repeat(10_000), numbers(3_000))
    const full = await server.client.until('a refusal', answer => kindOf(answer) === 'stdin-full')
    assert.match(full.error?.message ?? '', /writes with \d+ bytes wait until it reads its standard input$/)
    const { result } = await server.client.ask('signalProcess', { processId, signal: 'SIGTERM' })
    assert.equal(result, null)
    await exitOf(processId)
    await server.client.ask('stopSession', { sessionId })
    assert.equal(answers.size, 3_000)
    const kinds = [...answers.values()].map(([kind, ...more]) =>
      more.length === 0 ? kind : 'answered twice',
    )
    assert.deepEqual([...new Set(kinds)].sort(), ['none', 'stdin-closed', 'stdin-full'])
  })

  it('can take writes back, which makes room for others', async () => {
    const processId = await launchDeaf()
    write(processId, 'x'.repeat(10_000), numbers(1_000))
    const refused = await server.client.until('a refusal', answer => kindOf(answer) === 'stdin-full')
    const firstRefused = Number(String(refused.id).slice(1))
    const last = `w${firstRefused - 1}`
    server.client.send({ method: '$/cancelRequest', params: { id: last } })
    assert.equal((await answered(last)).error?.code, -32800)
    write(processId, 'y', [1_000])
    const isAnswer = ({ id, method }: Answer) => id === 'w1000' || (id === 's' && method === undefined)
    server.client.send({ id: 's', method: 'listSessions', params: {} })
    assert.equal((await server.client.until('an answer', isAnswer)).id, 's')
  })

  it('can stop the session of a process that never reads', async () => {
    const processId = await launchDeaf()
    write(processId, 'x'.repeat(10_000), numbers(1_500))
    assert.equal((await server.client.ask('stopSession', { sessionId })).result, null)
    await exitOf(processId)
  })

  it('leaves nothing behind when it vanishes while its writes wait', async () => {
    const processId = await launchDeaf()
    write(processId, 'x'.repeat(10_000), numbers(1_500))
    await server.client.until('a refusal', answer => kindOf(answer) === 'stdin-full')
    server.child.stdin?.end()
    assert.equal(await server.ended, 1)
  })

  it('costs bounded memory however much it writes to a process that never reads', async () => {
    const processId = await launchDeaf()
    const before = residentMiB(server.child.pid)
    const count = 200
    let refused = 0
    server.client.onMessage = answer => {
      if (kindOf(answer) === 'stdin-full') refused++
    }
    write(processId, 'x'.repeat(1 << 20), numbers(count))
    await server.client.until('the last answer', ({ id }) => id === `w${count - 1}`, 60_000)
    const grown = residentMiB(server.child.pid) - before
    assert.ok(refused >= count - 17, `only ${refused} of ${count} writes of 1 MiB were refused`)
    assert.ok(grown < 120, `${grown} MiB more`)
  })

  it('has requests of one kind refused beyond 1,000, and others answered', async () => {
    const processIds = [await launchDeaf(), await launchDeaf(), await launchDeaf()]
    for (const [index, processId] of processIds.entries())
      write(processId, 'x'.repeat(10_000), numbers(490, index * 490))
    const refused = await server.client.until('a refusal', answer => kindOf(answer) === 'requests-waiting')
    assert.equal(
      refused.error?.message,
      'Cannot accept "writeProcess": 1000 such requests wait for their answers',
    )
    assert.equal((await server.client.ask('stopSession', { sessionId })).result, null)
  })
})

describe('a cancelled request is answered with -32800', () => {
  let server: RawServer
  let target: SmallTarget
  let sessionId: string
  before(async () => {
    target = await startSmallTarget(8080)
  })
  after(() => target.end())
  beforeEach(async () => {
    server = startRawServer(['--stdio'], run.environment)
    await server.client.ask('initialize', {})
    const { result } = await server.client.ask('startSession', { target: target.name })
    sessionId = String(result?.sessionId)
  })
  afterEach(async () => {
    server.child.stdin?.end()
    await server.ended
    await untilNothing('processes of standin', () => processesOf(run.value))
  })

  const cancel = async (method: string, params: object, until: () => Promise<unknown> = async () => {}) => {
    server.client.send({ id: 'c', method, params })
    await until()
    server.client.send({ method: '$/cancelRequest', params: { id: 'c' } })
    return server.client.until('the answer', ({ id }) => id === 'c')
  }

  it('launch, before its supervisor is there: nothing runs', async () => {
    const command = ['sleep', '1000']
    const answer = await cancel('launch', { sessionId, command, stdin: 'pipe' })
    assert.equal(answer.error?.code, -32800)
    assert.deepEqual(ours(), [])
  })

  it('launch, while its supervisor starts the command: the command is ended', async () => {
    const isSaying = ({ params }: Answer) => /starts at once/.test(String(params?.message))
    await server.client.until('a warm supervisor', isSaying)
    const supervisor = processesOf(run.value).find(({ program }) => program === 'hook')
    assert.ok(supervisor)
    process.kill(supervisor.pid, 'SIGSTOP')
    server.client.send({ id: 'c', method: 'launch', params: { sessionId, command: ['sleep', '1000'] } })
    // Answered when the launch, which was read before it, has said "start".
    await server.client.ask('listSessions')
    server.client.send({ method: '$/cancelRequest', params: { id: 'c' } })
    await server.client.ask('listSessions')
    process.kill(supervisor.pid, 'SIGCONT')
    const { error } = await server.client.until('the answer', ({ id }) => id === 'c')
    assert.equal(error?.code, -32800)
    await untilNothing('the command', ours)
    const { result } = await server.client.ask('listSessions')
    const [session] = result!.sessions as { processes: number }[]
    assert.equal(session?.processes, 0)
  })

  it('prepareLaunch: no shim is made', async () => {
    const answer = await cancel('prepareLaunch', { sessionId })
    assert.equal(answer.error?.code, -32800)
    await untilNothing('shims', filesOfStandin)
  })

  it('stopSession, while a command takes its time to end: the session ends all the same', async () => {
    const command = ['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done']
    await server.client.ask('launch', { sessionId, command })
    await server.client.until('ready', ({ params }) => params?.data === 'ready\n')
    const answer = await cancel('stopSession', { sessionId })
    assert.equal(answer.error?.code, -32800)
    await server.client.until('the end', ({ params }) => params?.state === 'stopped')
    assert.deepEqual(ours(), [])
  })
})

function residentMiB(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) >> 10
}
