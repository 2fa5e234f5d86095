// What the hooks cost: a trapped call, and the start of a command, warm, back to back and cold.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { programPath } from '../../protocol/programs.ts'
import { launch } from '../../protocol/rpc/processes.ts'
import type { Backend } from '../stage/backend.ts'
import type { Programs } from './compile.ts'
import { type Comparison, compared, interleaved } from './measure.ts'

const run = promisify(execFile)
const calls = '20000'
const isReady = (line: string) => line.includes('starts at once')

/** Nanoseconds of one getsockname: alone, under the C supervisor, under ours. */
export async function benchTrappedCall(
  backend: Backend,
  sessionId: string,
  programs: Programs,
  runs: number,
): Promise<Comparison[]> {
  const alone: number[] = []
  const inC: number[] = []
  const ours: number[] = []
  for (let i = 0; i < runs; i++) {
    alone.push(Number((await run(programs.calls, [calls])).stdout))
    inC.push(Number((await run(programs.supervisor, [programs.calls, calls])).stdout))
    const processId = await launchWarm(backend, sessionId, [programs.calls, calls])
    ours.push(
      Number(await backend.output(processId).until('the time of a call', line => /^\d+$/.test(line), 60_000)),
    )
    await backend.exitOf(processId)
  }
  return [
    compared('trapped call, ours against the same program alone', 'ns', alone, ours),
    compared('trapped call, ours against a C supervisor (goal: at most 2)', 'ns', inC, ours),
  ]
}

const commands: [string, string[]][] = [
  ['/bin/true (goal: at most 10 ms added)', ['/bin/true']],
  [
    'python3 -c "import json,ssl,http.client" (goal: at most 1.10)',
    ['python3', '-c', 'import json,ssl,http.client'],
  ],
  ['node -e 0 (goal: at most 1.10)', [process.execPath, '-e', '0']],
]

/** Milliseconds from asking for a command to its exit: spawned by Node alone, and launched in a session that is there. */
export async function benchStart(backend: Backend, sessionId: string, runs: number): Promise<Comparison[]> {
  const results: Comparison[] = []
  for (const [name, command] of commands) {
    const alone = () =>
      timed(async () =>
        once(spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] }), 'exit'),
      )
    const launched = async () => {
      await backend.messages.untilCount('a warm supervisor', launches + 1, isReady)
      return timed(async () => backend.exitOf(await launchWarm(backend, sessionId, command)))
    }
    await launched()
    results.push(
      await interleaved(`start of ${name}`, { runs, unit: 'ms', baseline: alone, measured: launched }),
    )
  }
  return results
}

const burst = 5

/** Milliseconds a start of /bin/true when the next one is asked for as soon as the last one has ended: no supervisor has had time to get ready. */
export async function benchBackToBack(
  backend: Backend,
  sessionId: string,
  runs: number,
): Promise<Comparison> {
  const each = async (start: () => Promise<unknown>) =>
    (await timed(async () => {
      for (let number = 0; number < burst; number++) await start()
    })) / burst
  const launched = async () =>
    backend.exitOf(
      (await backend.connection.request(launch, { sessionId, command: ['/bin/true'] })).processId,
    )
  return interleaved(`start of /bin/true, ${burst} back to back`, {
    runs,
    unit: 'ms',
    baseline: () => each(() => once(spawn('/bin/true', { stdio: ['ignore', 'pipe', 'pipe'] }), 'exit')),
    measured: () => each(launched),
  })
}

/** Milliseconds from a shell's point of view: "standin exec -- /bin/true" starts client, server, agent and supervisor, and ends all of them. */
export async function benchColdStart(target: string, runs: number): Promise<Comparison> {
  const words = [programPath('standin'), 'exec', '-t', target, '--', '/bin/true']
  const ended = async (command: string, args: readonly string[]) => {
    const [code] = await once(spawn(command, args, { stdio: 'ignore' }), 'exit')
    if (code !== 0) throw new Error(`Cannot time "${command}": it ended with code ${code}`)
  }
  return interleaved('cold start of /bin/true, by "standin exec" with a session of its own', {
    runs,
    unit: 'ms',
    baseline: () => timed(() => ended('/bin/true', [])),
    measured: () => timed(() => ended(process.execPath, words)),
  })
}

/** Commands launched so far in the one session of these benchmarks. */
let launches = 0

/** Runs a command; a supervisor is ready for it, as it is long before a person starts the next command. */
async function launchWarm(backend: Backend, sessionId: string, command: string[]): Promise<string> {
  await backend.messages.untilCount('a warm supervisor', ++launches, isReady)
  return (await backend.connection.request(launch, { sessionId, command })).processId
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return performance.now() - begin
}
