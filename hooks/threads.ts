// Starts the supervisor's threads and waits until they are warm: one carries the filter, the other answers what it traps.
import { release } from 'node:os'
import { Worker } from 'node:worker_threads'
import { programPath } from '../protocol/programs.ts'
import { missingFeature } from './kernel-feature.ts'
import { createLedger } from './linux/ledger.ts'
import { makeAcceptWatch } from './shared/accept-watch.ts'
import { makeSharedMemory, type SharedMemory } from './shared/announcements.ts'
import { failureFrom } from './shared/failures.ts'
import type {
  AnswererData,
  FromAnswerer,
  FromSpawner,
  SpawnerData,
  ToAnswerer,
  ToSpawner,
} from './shared/threads.ts'

export type Threads = {
  readonly memory: SharedMemory
  readonly acceptWatch: SharedArrayBuffer
  readonly ledger: number
  /** Our notification descriptor, once warm. */
  readonly notifications: number
  readonly noNewPrivileges: boolean
  tellAnswerer(message: ToAnswerer): void
  tellSpawner(message: ToSpawner): void
}

/** Resolves when both threads are ready; rejects with a Failure when this machine cannot hook. */
export async function startThreads(on: {
  answerer: (message: FromAnswerer) => void
  spawner: (message: FromSpawner) => void
  /** A thread died of an exception, once both were warm. */
  died: (thrown: unknown) => void
}): Promise<Threads> {
  const memory = makeSharedMemory()
  const ledger = createLedger()
  const acceptWatch = makeAcceptWatch()
  const filteredThread = new SharedArrayBuffer(4)
  const spawner = new Worker(programPath('hook-spawner'), {
    workerData: { filteredThread } satisfies SpawnerData,
  })
  const answerer = new Worker(programPath('hook-answerer'), {
    workerData: { memory, ledger, filteredThread, acceptWatch } satisfies AnswererData,
  })
  const tellAnswerer = (message: ToAnswerer) => answerer.postMessage(message)
  const [filter] = await Promise.all([filtered(spawner), said(answerer, 'loaded')])
  tellAnswerer({ type: 'listen', listener: filter.listener, window: filter.window })
  const ready = await said(answerer, 'ready')
  if (!ready.complete) {
    throw missingFeature('a seccomp notification that answers with a descriptor', 'EINVAL', release())
  }
  answerer.on('message', on.answerer)
  spawner.on('message', on.spawner)
  for (const thread of [answerer, spawner]) thread.on('error', on.died)
  return {
    memory,
    acceptWatch,
    ledger,
    notifications: filter.listener,
    noNewPrivileges: filter.noNewPrivileges,
    tellAnswerer,
    tellSpawner: message => spawner.postMessage(message),
  }
}

function filtered(spawner: Worker): Promise<Extract<FromSpawner, { type: 'filtered' }>> {
  return new Promise((resolve, reject) => {
    spawner.once('error', reject)
    spawner.once('message', (message: FromSpawner) => {
      if (message.type === 'filtered') resolve(message)
      else if (message.type === 'unfiltered') reject(failureFrom(message.failure))
    })
  })
}

function said<K extends FromAnswerer['type']>(
  answerer: Worker,
  type: K,
): Promise<Extract<FromAnswerer, { type: K }>> {
  return new Promise((resolve, reject) => {
    const listen = (message: FromAnswerer) => {
      if (message.type !== type) return
      answerer.off('message', listen)
      resolve(message as Extract<FromAnswerer, { type: K }>)
    }
    answerer.once('error', reject)
    answerer.on('message', listen)
  })
}
