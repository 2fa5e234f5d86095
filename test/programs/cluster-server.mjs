// Three cluster workers under one primary; STANDIN_TEST_SCHEDULING is "rr" (the primary accepts) or "none" (the workers share the listener).
import cluster from 'node:cluster'
import { writeSync } from 'node:fs'

cluster.schedulingPolicy =
  process.env.STANDIN_TEST_SCHEDULING === 'none' ? cluster.SCHED_NONE : cluster.SCHED_RR
if (cluster.isPrimary) {
  cluster.setupPrimary({ exec: new URL('http-server.mjs', import.meta.url).pathname })
  for (let i = 0; i < 3; i++) cluster.fork()
  cluster.on('listening', () => {
    if (Object.values(cluster.workers).every(worker => worker.state === 'listening'))
      writeSync(1, 'all workers listen\n')
  })
}
