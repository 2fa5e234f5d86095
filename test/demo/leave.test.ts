// What the demo's last look finds: a process, a socket, a file; namespaces are looked at in test/journeys/demo.test.ts.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runMark } from '../stage/leftovers.ts'
import { heldNamespaces, labelIn, watchLeftovers } from './leave.ts'

const withinMs = 50
const listen = (name: string) =>
  `require('net').createServer().listen('\\0${name}', () => console.log('listening'))`

describe('heldNamespaces()', () => {
  const loopback = '00000000000000000000000000000001 01 80 10 80       lo\n'
  const ours = `${loopback}fd12000000000000000000000000abcd 01 80 00 80       lo\n`
  const noted = new Map([['net:[7]', labelIn(ours)]])

  it('takes the address of lo that nothing else has for the label', () => {
    assert.deepEqual([...noted.values()], ['fd12000000000000000000000000abcd'])
    assert.equal(labelIn(loopback), '')
  })

  it('finds one that a process is in, or has open', () => {
    assert.deepEqual(heldNamespaces(noted, [{ namespace: 'net:[7]', addresses: ours }]), ['net:[7]'])
    assert.deepEqual(heldNamespaces(noted, [{ namespace: 'net:[7]' }]), ['net:[7]'])
  })

  it("leaves another's alone that got its number when it was gone", () => {
    assert.deepEqual(heldNamespaces(noted, [{ namespace: 'net:[7]', addresses: loopback }]), [])
    assert.deepEqual(heldNamespaces(noted, [{ namespace: 'net:[8]', addresses: ours }]), [])
  })
})

describe('watchLeftovers()', () => {
  const { [runMark]: mark, TMPDIR: temporary } = process.env
  const folder = mkdtempSync(join(tmpdir(), 'leftovers-'))
  let child: ChildProcess | undefined
  beforeEach(() => {
    process.env.TMPDIR = folder
  })
  afterEach(async () => {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
    child = undefined
    for (const [name, value] of Object.entries({ [runMark]: mark, TMPDIR: temporary }))
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
  })
  after(() => rmSync(folder, { recursive: true }))

  async function startListener(name: string): Promise<void> {
    child = spawn(process.execPath, ['-e', listen(name)], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout!, 'data')
  }

  it('finds nothing when all that was started is gone', async () => {
    const watch = watchLeftovers()
    await startListener(`standin-leave-${process.pid}-1`)
    watch.look()
    const gone = once(child!, 'exit')
    child!.kill('SIGKILL')
    await gone
    assert.equal(await watch.untilNone(), undefined)
  })

  it('finds a process that still runs', async () => {
    const watch = watchLeftovers()
    await startListener(`standin-leave-${process.pid}-2`)
    assert.match(
      (await watch.untilNone(withinMs))!,
      new RegExp(`^processes remained .*"pid":${child!.pid}\\b`),
    )
  })

  it('finds a socket that somebody else holds by now', async () => {
    const name = `standin-leave-${process.pid}-3`
    const watch = watchLeftovers()
    await startListener(name)
    watch.look()
    const gone = once(child!, 'exit')
    child!.kill('SIGKILL')
    await gone
    const heir = createServer().listen(`\0${name}`)
    await once(heir, 'listening')
    try {
      assert.match((await watch.untilNone(withinMs))!, new RegExp(`^sockets remained .*"@${name}@*"`))
    } finally {
      heir.close()
    }
  })

  it('finds a file that was not there before', async () => {
    const own = join(folder, `standin-${process.getuid?.()}`)
    mkdirSync(own)
    writeFileSync(join(own, 'earlier'), '')
    const watch = watchLeftovers()
    assert.equal(await watch.untilNone(withinMs), undefined)
    writeFileSync(join(own, 'later'), '')
    assert.match((await watch.untilNone(withinMs))!, /^files remained .*later"/)
  })
})
