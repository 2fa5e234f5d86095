// Finds out whether this machine can hook processes, by doing on itself what the supervisor does to others, and prints the answer as one JSON line.

import { writeSync } from 'node:fs'
import { release } from 'node:os'
import { Failure } from '../protocol/errors.ts'
import { makeFilter } from './filter.ts'
import { missingFeature } from './kernel-feature.ts'
import { makeDescriptors } from './linux/descriptors.ts'
import { errnoName, exitAtOnce } from './linux/libc.ts'
import { canReadMemory } from './linux/memory.ts'
import { canSendDescriptor } from './linux/notification.ts'
import { installFilter } from './linux/seccomp.ts'
import { plainFailure } from './shared/failures.ts'
import { architectures, ownArchitecture } from './syscalls/table.ts'

const EPERM = 1

/** Ends the process: the filter that the probe puts on itself has nobody to answer for it. */
export function probe(): never {
  let answer: object = { hooks: true }
  try {
    probeArchitecture()
    probeCopying()
    probeFilter()
  } catch (thrown) {
    answer = { hooks: false, failure: plainFailure(thrown) }
  }
  try {
    writeSync(1, `${JSON.stringify(answer)}\n`)
  } finally {
    // Also when whoever asked is gone: an exception's way out could make a call that the filter holds for good.
    exitAtOnce(0)
  }
}

function probeArchitecture(): void {
  if (process.platform === 'linux' && ownArchitecture() !== undefined) return
  throw new Failure('hooks-unavailable', {
    reason: `this is ${process.platform} on ${process.arch}`,
    fix: `Use Linux on ${Object.keys(architectures).join(' or ')}`,
  })
}

function probeFilter(): void {
  const { listener } = installFilter(makeFilter(ownArchitecture()!, []))
  if (canSendDescriptor(listener)) return
  throw missingFeature('a seccomp notification that answers with a descriptor', 'EINVAL', release())
}

function probeCopying(): void {
  const copy = makeDescriptors().copy(process.pid, 1)
  if (copy === -EPERM || !canReadMemory()) {
    throw new Failure('hooks-unavailable', {
      reason: 'the system calls pidfd_getfd and process_vm_readv are forbidden here',
      fix: 'Start this container with "--cap-add SYS_PTRACE"',
    })
  }
  if (copy < 0) throw missingFeature('the system call pidfd_getfd', errnoName(copy), release())
}
