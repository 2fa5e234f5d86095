// The parts of a delivered agent that the build makes from source.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildBootstrap, packedCode } from '../../schemas/agent-bundles.ts'

describe('the build of an agent for pods', () => {
  it('makes a bootstrap of at most 2.5 KiB, in which Kubernetes finds nothing to replace', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bootstrap-'))
    try {
      const path = join(folder, 'agent-bootstrap.cjs')
      await buildBootstrap(path)
      const text = readFileSync(path, 'utf8')
      assert.ok(text.length <= 2_560, `${text.length} bytes`)
      assert.doesNotMatch(text, /\$[$(]/)
      assert.doesNotMatch(text, /"node:|\?\.|\?\?/, 'syntax that an old Node.js cannot parse')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('makes the same bytes of the same source', async () => {
    assert.deepEqual(await packedCode('agent/pod.ts'), await packedCode('agent/pod.ts'))
  })
})
