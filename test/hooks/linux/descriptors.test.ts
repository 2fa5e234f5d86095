// Copies of descriptors are those of the right process, whichever way the kernel lets us ask for it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, openSync, readdirSync } from 'node:fs'
import { makeDescriptors } from '../../../hooks/linux/descriptors.ts'
import { close } from '../../../hooks/linux/libc.ts'

const ESRCH = 3

describe('makeDescriptors()', () => {
  for (const threads of [true, false]) {
    describe(threads ? 'by thread' : 'by process, as before Linux 6.9', () => {
      it('copies the same open file again and again', () => {
        const own = openSync('/proc/self/stat', 'r')
        const descriptors = makeDescriptors({ threads })
        for (let turn = 0; turn < 3; turn++) {
          const copy = descriptors.copy(process.pid, own)
          assert.notEqual(copy, own)
          assert.equal(fstatSync(copy).ino, fstatSync(own).ino)
          close(copy)
        }
        closeSync(own)
      })
      it('gives ESRCH for a process that is gone', async () => {
        const child = spawn('/bin/cat', { stdio: ['pipe', 'ignore', 'ignore'] })
        const descriptors = makeDescriptors({ threads })
        const copy = descriptors.copy(child.pid!, 1)
        assert.ok(copy >= 0)
        close(copy)
        child.stdin.end()
        await once(child, 'exit')
        assert.equal(descriptors.copy(child.pid!, 1), -ESRCH)
      })
      it('keeps no more descriptors open than its limit', () => {
        const descriptors = makeDescriptors({ threads, limit: 1 })
        const openCount = () => readdirSync('/proc/self/fd').length
        const before = openCount()
        for (const pid of [process.pid, process.ppid, process.pid]) {
          const copy = descriptors.copy(pid, 0)
          if (copy >= 0) close(copy)
        }
        assert.equal(openCount(), before + 1)
      })
    })
  }
})
