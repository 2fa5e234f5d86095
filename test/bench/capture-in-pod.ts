// Captures a port inside the pod's namespace without a link, and prints its counters and CPU time when its standard input ends.
// Usage: capture-in-pod.ts PORT; prints "capturing", then one JSON line.
import { openMirror } from '../../agent/incoming/mirror.ts'

const port = Number(process.argv[2])
let received = 0
const mirror = openMirror({
  openStream: () => ({
    data: bytes => {
      received += bytes.length
    },
    skipped: () => {},
    end: () => {},
    reset: () => {},
  }),
  onNotice: text => console.error(text),
})
await mirror.subscribe({ ports: [port], answers: 'none', loopbackOnly: false })
const cpuBefore = process.cpuUsage()
console.log('capturing')
process.stdin.resume().on('end', async () => {
  const counters = await mirror.counters()
  const { user, system } = process.cpuUsage(cpuBefore)
  console.log(JSON.stringify({ ...counters, received, cpuSeconds: (user + system) / 1e6 }))
  await mirror.close()
  process.exit(0)
})
