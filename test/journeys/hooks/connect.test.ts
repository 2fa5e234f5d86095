// connect under the hooks, with the test in the server's place: what is asked of it, and what the process sees of each answer.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { HookHarness, nobody } from '../../stage/hook-harness.ts'
import type { HookedCommand } from '../../stage/hooked-command.ts'
import { stateOf, untilState } from '../../stage/process-state.ts'
import { type RelayProcess, startRelay } from '../../stage/relay-process.ts'

const python = '/usr/bin/python3'
const service = '198.51.100.7'
const local = { address: '10.1.2.3', port: 50_123 }
const errnos = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EACCES', 'EMFILE'] as const

for (const [user, owner] of [
  ['root', {}],
  ['an ordinary user', nobody],
] as const)
  describe(`connect of a process of ${user}`, () => {
    let harness: HookHarness
    let relay: RelayProcess
    beforeEach(async () => {
      harness = await HookHarness.open(owner)
      relay = await startRelay(harness.dist, owner)
    })
    afterEach(async () => {
      assert.deepEqual(await harness.close(), [])
      await relay.close()
    })

    async function start(way: string): Promise<{ hooked: HookedCommand; to(text: string): void }> {
      const command = [python, `${harness.programs}/connect.py`, way]
      const outgoing = { tcp: true, ignoreLocalhost: false, quiet: relay.quiet }
      const hooked = await harness.start(command, { outgoing })
      return { hooked, to: text => void hooked.supervisor.stdin?.write(`${text}\n`) }
    }

    /** The pod is connected: the process's own end, joined by the relay. */
    async function establish(hooked: HookedCommand): Promise<Socket> {
      const { connection, from, waits } = await hooked.next('connect')
      if (!waits) {
        hooked.send({ type: 'dialled', connection, local })
        await hooked.next('known')
      }
      const socket = await relay.complete(from)
      assert.ok(typeof socket !== 'string', String(socket))
      hooked.send({ type: 'established', connection, ...(waits ? { local } : {}) })
      return socket
    }

    for (const way of ['blocking', 'polled', 'asyncio'])
      it(`made ${way}: is not there before the pod has answered, and has its addresses then`, async () => {
        const { hooked, to } = await start(way)
        to(`${service} 5432`)
        const socket = await establish(hooked)
        let heard = ''
        socket.on('data', part => {
          heard += part
        })
        socket.on('end', () => socket.end(`heard ${heard}`))
        const { answer, peer, own } = JSON.parse(await hooked.output.until('the result', () => true))
        assert.deepEqual([answer, peer, own], ['heard hello\n', [service, 5432], [local.address, local.port]])
      })

    for (const way of ['blocking', 'polled', 'asyncio'])
      it(`made ${way}: has the errno of the pod`, async () => {
        const { hooked, to } = await start(way)
        for (const [index, errno] of errnos.entries()) {
          to(`${service} ${5000 + index}`)
          const { connection, to: asked } = await hooked.next('connect')
          assert.deepEqual(asked, { address: service, port: 5000 + index })
          hooked.send({ type: 'refused', connection, errno })
          await hooked.output.untilCount('results', index + 1, () => true)
          assert.deepEqual(JSON.parse(hooked.output.all[index]!), { errno })
        }
      })

    it('that is interrupted by SO_SNDTIMEO stays in progress, and a signal ends the next', async () => {
      const { hooked, to } = await start('interrupted')
      to(`${service} 5432`)
      await hooked.next('connect')
      const { codes, waited } = JSON.parse(await hooked.output.until('the result', () => true))
      assert.deepEqual([codes, waited], [['EINPROGRESS', 'EINTR'], 0.3])
    })

    it('that a signal interrupted is refused as any other afterwards', async () => {
      const { hooked, to } = await start('refused_later')
      to(`${service} 5432`)
      const { connection } = await hooked.next('connect')
      await hooked.output.until('the signal', line => line === 'interrupted')
      hooked.send({ type: 'refused', connection, errno: 'EHOSTUNREACH' })
      const { codes } = JSON.parse(await hooked.output.until('the result', line => line.startsWith('{')))
      assert.deepEqual(codes, ['EINTR', 'EHOSTUNREACH'])
    })

    it('that stopped waiting shows its name at once when it stands', async () => {
      const { hooked, to } = await start('named_late')
      to(`${service} 5432`)
      const { connection, from } = await hooked.next('connect')
      await hooked.output.until('the end of the call', line => line === 'EINPROGRESS')
      const socket = await relay.complete(from)
      assert.ok(typeof socket !== 'string', String(socket))
      await hooked.output.until('the connection', line => line === 'writable')
      hooked.send({ type: 'established', connection, local })
      const { own } = JSON.parse(await hooked.output.until('the name', line => line.startsWith('{')))
      assert.deepEqual(own, [local.address, local.port])
      socket.destroy()
    })

    it('whose process is stopped while the pod connects succeeds when it goes on', async () => {
      const { hooked, to } = await start('blocking')
      to(`${service} 5432`)
      const { connection, from } = await hooked.next('connect')
      process.kill(hooked.pid, 'SIGSTOP')
      await untilState('the stop', () => stateOf(hooked.pid) === 'T')
      const socket = await relay.complete(from)
      assert.ok(typeof socket !== 'string', String(socket))
      hooked.send({ type: 'established', connection, local })
      process.kill(hooked.pid, 'SIGCONT')
      socket.on('data', () => {}).on('end', () => socket.end('heard'))
      const { answer, errno } = JSON.parse(await hooked.output.until('the result', () => true))
      assert.deepEqual([errno, answer], [undefined, 'heard'])
    })

    it('of a process that forbids to be read never leaves from this machine', async () => {
      const { hooked, to } = await start('undumpable')
      to(`${service} 5432`)
      const result = hooked.output.until('the result', () => true)
      if (user === 'root') {
        const { connection } = await hooked.next('connect')
        hooked.send({ type: 'refused', connection, errno: 'ENETUNREACH' })
      } else assert.match(await hooked.notice('process-unreadable'), /forbids to be read/)
      assert.deepEqual(JSON.parse(await result), { errno: 'ENETUNREACH' })
    })

    it('whose process ends is abandoned', async () => {
      const { hooked, to } = await start('polled')
      to(`${service} 5432`)
      const { connection } = await hooked.next('connect')
      process.kill(hooked.pid, 'SIGKILL')
      const abandoned = await Promise.race([hooked.next('abandoned'), hooked.next('done')])
      if (abandoned.type === 'abandoned') assert.equal(abandoned.connection, connection)
    })

    it('is refused with ENETUNREACH where there is no relay', async () => {
      const command = [python, `${harness.programs}/connect.py`, 'blocking']
      const hooked = await harness.start(command, {
        outgoing: { tcp: true, ignoreLocalhost: false },
      })
      hooked.supervisor.stdin?.write(`${service} 5432\n`)
      assert.deepEqual(JSON.parse(await hooked.output.until('the result', () => true)), {
        errno: 'ENETUNREACH',
      })
    })
  })
