// Runs the benchmarks and prints ratios, measured side by side in one run: `npm run bench [RUNS]`, 20 runs by default.
import { launch } from '../../protocol/rpc/processes.ts'
import { startSession } from '../../protocol/rpc/sessions.ts'
import { startBackend } from '../stage/backend.ts'
import { markRun, processesOf } from '../stage/leftovers.ts'
import { startPod } from '../stage/pod.ts'
import { benchCapture } from './capture.ts'
import { compilePrograms } from './compile.ts'
import { benchStart, benchTrappedCall } from './hooks.ts'
import { shown } from './measure.ts'
import { memoryOf } from './memory.ts'
import { benchPod } from './pod.ts'

const runs = Number(process.argv[2] ?? 20)
const programs = compilePrograms()
const mark = markRun()
const pod = await startPod({ command: [programs.load, 'serve', '0.0.0.0:8080'] })
const backend = await startBackend(mark.environment)
try {
  const { sessionId } = await backend.connection.request(startSession, { target: pod.target })
  for (const result of await benchTrappedCall(backend, sessionId, programs, runs)) console.log(shown(result))
  for (const result of await benchStart(backend, sessionId, runs)) console.log(shown(result))
  await backend.connection.request(launch, { sessionId, command: ['sleep', '600'] })
  for (const line of memoryOf(processesOf(mark.value))) console.log(line)
  for (const result of await benchPod(backend, pod, programs, runs)) console.log(shown(result))
  for (const line of await benchCapture(pod, programs)) console.log(line)
  await backend.stop()
} finally {
  backend.child.kill('SIGKILL')
  await pod.end()
  programs.remove()
}
