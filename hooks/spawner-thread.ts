// Thread "spawner": puts the filter on itself alone and starts the command, which inherits it.
import { spawn } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { spawnFailure } from './command/failure.ts'
import { makeFilter } from './filter.ts'
import { callersDescriptorLimit, ownHardLimit, withDescriptorLimit } from './linux/limits.ts'
import { installFilter } from './linux/seccomp.ts'
import { plainFailure } from './shared/failures.ts'
import type { Command, FromSpawner, SpawnerData, ToSpawner } from './shared/threads.ts'
import { windowUnder } from './shared/window.ts'
import { ownArchitecture } from './syscalls/table.ts'

const port = parentPort!
const { filteredThread } = workerData as SpawnerData
const say = (message: FromSpawner) => port.postMessage(message)

// Nothing asynchronous of node:fs may be used here: it would start pool threads that inherit the filter.
const softLimit = callersDescriptorLimit()
const window = windowUnder({ soft: softLimit, hard: ownHardLimit() })
try {
  const thread = Number(readlinkSync('/proc/thread-self').split('/').pop())
  Atomics.store(new Int32Array(filteredThread), 0, thread)
  const { listener, noNewPrivileges } = installFilter(makeFilter(ownArchitecture()!, window))
  say({ type: 'filtered', listener, noNewPrivileges, window })
  port.on('message', (message: ToSpawner) => start(message.command))
} catch (thrown) {
  say({ type: 'unfiltered', failure: plainFailure(thrown) })
}

function start(command: Command): void {
  const refuse = (error: unknown) => {
    say({ type: 'refused', failure: plainFailure(spawnFailure(error as Error, command)) })
    port.close()
  }
  try {
    const child = withDescriptorLimit(softLimit, () => run(command))
    if (child.pid !== undefined) say({ type: 'spawned', pid: child.pid })
    child.once('error', error => {
      if (child.pid === undefined) refuse(error)
    })
    child.once('exit', (code, signal) => {
      say({ type: 'exit', code, signal })
      // The thread itself counts as hooked: it ends here, so that the last process can be told from it.
      port.close()
    })
  } catch (thrown) {
    // Some errors, such as ENOTDIR and E2BIG, are thrown and others come as an event.
    refuse(thrown)
  }
}

const run = ({ file, args, environment, cwd }: Command) =>
  spawn(file, args, { stdio: 'inherit', env: environment, cwd })
