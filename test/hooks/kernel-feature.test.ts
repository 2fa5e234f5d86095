// Which failure a feature that the kernel lacks becomes: an old kernel, or a sandbox that hides it.
import assert from 'node:assert/strict'
import { missingFeature } from '../../hooks/kernel-feature.ts'

describe('missingFeature()', () => {
  const failure = (kernel: string) => missingFeature('the system call seccomp', 'ENOSYS', kernel)

  for (const kernel of ['4.19.0-27-amd64', '5.4.0', '5.13.19-2-pve'])
    it(`names the version that Linux ${kernel} lacks`, () => {
      const { kind, message, data } = failure(kernel)
      assert.equal(kind, 'kernel-feature-missing')
      assert.match(message, /"seccomp notification that answers with a descriptor"/)
      assert.ok(message.includes(`Linux ${kernel} `) && message.endsWith('it came with Linux 5.14'), message)
      assert.match(data.fix, /^Run Linux 5\.14 or newer/)
    })

  for (const kernel of ['5.14.0-70.el9', '5.15', '6.8.0-45-generic', '10.0.0'])
    it(`does not ask for a newer kernel than Linux ${kernel}`, () => {
      const { kind, message, data } = failure(kernel)
      assert.equal(kind, 'hooks-unavailable')
      assert.match(message, /: the system call seccomp gives ENOSYS although this is Linux /)
      assert.match(data.fix, /seccomp=unconfined/)
    })
})
