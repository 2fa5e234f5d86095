// What an answered call costs: accept with the caller's address, and getpeername, for a delivered connection against a plain one.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { launch } from '../../protocol/rpc/processes.ts'
import type { Backend } from '../stage/backend.ts'
import { linesOf } from '../stage/lines.ts'
import type { Pod } from '../stage/pod.ts'
import type { Programs } from './compile.ts'
import { type Comparison, compared } from './measure.ts'

const connections = 100
const isResult = (line: string) => line.startsWith('{')
const isListening = (line: string) => line === 'listening'

type Times = { acceptNs: number; peerNs: number; caller: string }

export async function benchAnsweredCalls(
  backend: Backend,
  sessionId: string,
  { pod, programs, runs }: { pod: Pod; programs: Programs; runs: number },
): Promise<Comparison[]> {
  const command = [programs.answered, String(pod.port), String(connections)]
  const alone: Times[] = []
  const ours: Times[] = []
  for (let run = 0; run < runs; run++) {
    alone.push(await timesAlone(command, pod.port))
    ours.push(await timesDelivered(backend, sessionId, { command, pod, load: programs.load }))
  }
  const caller = pod.cable.second.ipv4
  if (ours.some(times => times.caller !== caller))
    throw new Error(`Cannot time answered calls: the caller was ${ours[0]!.caller}, not ${caller}`)
  const rows = [
    ['accept with an address, answered', 'acceptNs'],
    ['getpeername, answered', 'peerNs'],
  ] as const
  return rows.map(([name, key]) =>
    compared(
      `${name}, ours against the same program alone`,
      'ns',
      alone.map(times => times[key]),
      ours.map(times => times[key]),
    ),
  )
}

async function timesAlone(command: readonly string[], port: number): Promise<Times> {
  const child: ChildProcess = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = linesOf(child.stdout)
  await lines.until('the program listening', isListening, 60_000)
  const sockets = Array.from({ length: connections }, () => connect(port, '127.0.0.1').on('error', () => {}))
  const line = await lines.until('the times of a program alone', isResult, 60_000)
  for (const socket of sockets) socket.destroy()
  if (child.exitCode === null) await once(child, 'exit')
  return JSON.parse(line)
}

/** The pod answers as many callers, and the process gets a copy of each connection. */
async function timesDelivered(
  backend: Backend,
  sessionId: string,
  { command, pod, load }: { command: string[]; pod: Pod; load: string },
): Promise<Times> {
  const { processId } = await backend.connection.request(launch, { sessionId, command })
  const output = backend.output(processId)
  await output.until('the process listening', isListening, 60_000)
  const address = `${pod.cable.first.ipv4}:${pod.port}`
  // Again until enough of them have come: the first ones can be earlier than the capture.
  while (!output.all.some(isResult) && backend.child.exitCode === null)
    await pod.callers.run(load, 'requests', address, String(connections), String(connections))
  const line = await output.until('the times of a hooked program', isResult, 60_000)
  await backend.exitOf(processId)
  return JSON.parse(line)
}
