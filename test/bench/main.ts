// Runs the benchmarks and prints ratios, measured side by side in one run: `npm run bench [RUNS [PART]]`, 20 runs of
// all parts (hooks, memory, pod, outgoing, names, capture) by default.
import { startSession, stopSession } from '../../protocol/rpc/sessions.ts'
import { startBackend } from '../stage/backend.ts'
import { markRun } from '../stage/leftovers.ts'
import { startPod } from '../stage/pod.ts'
import { benchAnsweredCalls } from './answered.ts'
import { benchCapture, benchSessionCpu } from './capture.ts'
import { compilePrograms } from './compile.ts'
import { benchBackToBack, benchColdStart, benchStart, benchTrappedCall } from './hooks.ts'
import { shown } from './measure.ts'
import { benchMemory } from './memory.ts'
import { benchNames } from './names.ts'
import { benchOutgoing } from './outgoing.ts'
import { benchPod } from './pod.ts'

const runs = Number(process.argv[2] ?? 20)
const only = process.argv[3]
const programs = compilePrograms()
const mark = markRun()
const pod = await startPod({ command: [programs.load, 'serve', '0.0.0.0:8080'] })
const backend = await startBackend(mark.environment)

/** Each part prints its lines when it is done. */
const parts: Record<string, () => Promise<string[]>> = {
  async hooks() {
    const { sessionId } = await backend.connection.request(startSession, { target: pod.target })
    const calls = await benchTrappedCall(backend, sessionId, programs, runs)
    const starts = await benchStart(backend, sessionId, runs)
    const answered = await benchAnsweredCalls(backend, sessionId, { pod, programs, runs })
    const backToBack = await benchBackToBack(backend, sessionId, runs)
    await backend.connection.request(stopSession, { sessionId })
    const cold = await benchColdStart(pod.target, runs)
    return [...calls, ...answered, ...starts, backToBack, cold].map(shown)
  },
  memory: () => benchMemory(pod, programs),
  pod: async () => (await benchPod(backend, mark.value, { pod, programs, runs })).map(shown),
  outgoing: async () => (await benchOutgoing(backend, { pod, programs, runs })).map(shown),
  names: async () => (await benchNames(mark.environment, runs)).map(shown),
  async capture() {
    const alone = await benchCapture(pod, programs)
    return [...alone, ...(await benchSessionCpu(backend, mark.value, { pod, programs, runs }))]
  },
}

try {
  for (const [name, part] of Object.entries(parts)) {
    if (only !== undefined && only !== name) continue
    for (const line of await part()) console.log(line)
  }
  await backend.stop()
} finally {
  backend.child.kill('SIGKILL')
  await pod.end()
  programs.remove()
}
