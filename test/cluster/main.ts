// The command "npm run cluster:up | cluster:down": one at a time for each state, whoever calls.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { takeDown } from './down.ts'
import { adminKubeconfig, stateRoot } from './layout.ts'
import { say } from './run.ts'
import { bringUp } from './up.ts'

const usage = 'usage: main.ts up [--workloads] | down [--wipe]'
const [verb, ...flags] = process.argv.slice(2)
const known: Record<string, string[]> = { up: ['--workloads'], down: ['--wipe'] }
const wrong = flags.find(flag => !known[verb ?? '']?.includes(flag))
if (verb === undefined || !(verb in known) || wrong !== undefined) {
  console.error(`Cannot run cluster command "${[verb, ...flags].join(' ')}": ${usage}`)
  process.exit(2)
}

if (process.env.STANDIN_CLUSTER_LOCKED === stateRoot) {
  if (verb === 'up') {
    await bringUp({ workloads: flags.includes('--workloads') })
    console.log(`KUBECONFIG=${adminKubeconfig}`)
  } else {
    await takeDown({ wipe: flags.includes('--wipe') })
    say('down')
  }
} else {
  // flock(1) holds the lock, not we: it goes with its process, and no program that we start inherits it (--close).
  mkdirSync(stateRoot, { recursive: true })
  const again = [
    '--close',
    '--exclusive',
    '--timeout',
    '3600',
    join(stateRoot, 'lock'),
    process.execPath,
    ...process.execArgv,
    ...process.argv.slice(1),
  ]
  const { status } = spawnSync('flock', again, {
    stdio: 'inherit',
    env: { ...process.env, STANDIN_CLUSTER_LOCKED: stateRoot },
  })
  process.exitCode = status ?? 1
}
