// The command "npm run bench:cluster [-- RUNS [PART]]": the benchmarks on a cluster.
import { onCluster } from '../../cluster/on-cluster.ts'

process.exitCode = await onCluster(({ run }) =>
  run([process.execPath, ...process.execArgv, 'test/bench/cluster/main.ts', ...process.argv.slice(2)]),
)
