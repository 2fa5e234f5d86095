// UDP sockets under the hooks, with the test in the server's place: what is asked of it, and what the process sees of each answer.
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Endpoint } from '../../../protocol/codec.ts'
import type { OutgoingRules } from '../../../protocol/hook/messages.ts'
import { HookHarness, nobody } from '../../stage/hook-harness.ts'
import type { HookedCommand, Message } from '../../stage/hooked-command.ts'
import { leadHere } from '../../stage/lead-here.ts'
import { untilState } from '../../stage/process-state.ts'

const python = '/usr/bin/python3'
const service = '198.51.100.7'
const other = { address: '198.51.100.8', port: 4_000 }
const local = { address: '10.1.2.3', port: 50_123 }
const rules = { tcp: true, udp: true, ignoreLocalhost: false }

for (const [user, owner] of [
  ['root', {}],
  ['an ordinary user', nobody],
] as const)
  describe(`datagrams of a process of ${user}`, () => {
    leadHere('198.51.100.0/24')
    let harness: HookHarness
    const sockets: Socket[] = []
    beforeEach(async () => {
      harness = await HookHarness.open(owner)
    })
    afterEach(async () => {
      assert.deepEqual(await harness.close(), [])
      for (const socket of sockets.splice(0)) socket.close()
    })

    async function start(way: string, outgoing: OutgoingRules = rules, ...args: string[]) {
      const command = [python, `${harness.programs}/datagrams.py`, way, ...args]
      const hooked = await harness.start(command, { outgoing })
      const to = (text: string) => void hooked.supervisor.stdin?.write(`${text}\n`)
      const result = async () =>
        JSON.parse(await hooked.output.until('the result', line => line.startsWith('{')))
      return { hooked, to, result }
    }

    /** An outlet as a server makes it, connected to the process's socket. */
    async function outlet({ from, to: [peer] }: Message<'outlets'>, to: Endpoint = peer!) {
      const socket = createSocket('udp4')
      sockets.push(socket)
      // The process is gone, or has closed its socket.
      socket.on('error', () => {})
      socket.bind(0, '127.0.0.1')
      await once(socket, 'listening')
      await new Promise<void>(resolve => socket.connect(from.port, from.address, () => resolve()))
      const heard = () => once(socket, 'message').then(([said]) => String(said))
      return { socket, heard, outlet: { to, at: { address: '127.0.0.1', port: socket.address().port } } }
    }

    async function answer(hooked: HookedCommand, more: { local?: Endpoint } = {}) {
      const asked = await hooked.next('outlets')
      const made = await outlet(asked)
      const said = made.heard()
      hooked.send({ type: 'outlets', request: asked.request, outlets: [made.outlet], ...more })
      return { ...made, asked, said }
    }

    it('that are sent go to the outlet, and answers are shown to come from its peer', async () => {
      const { hooked, to, result } = await start('unconnected')
      to(`${service} 53`)
      const { asked, socket, said, heard } = await answer(hooked)
      assert.deepEqual(asked.to, [{ address: service, port: 53 }])
      assert.deepEqual([asked.connects, asked.from.address], [false, '127.0.0.1'])
      assert.equal(await said, 'hello')
      const second = heard()
      socket.send('first')
      assert.equal(await second, 'elsewhere')
      const another = await outlet(asked, other)
      hooked.send({ type: 'outletAdded', announcement: 1, socket: asked.socket, outlet: another.outlet })
      assert.equal((await hooked.next('outletKnown')).announcement, 1)
      another.socket.send('second')
      assert.deepEqual(await result(), {
        answer: 'first',
        source: [service, 53],
        elsewhere: [other.address, true],
      })
    })

    it('of a connected socket have the addresses of the pod, and its refusals', async () => {
      const { hooked, to, result } = await start('refused')
      to(`${service} 53`)
      const { asked, socket, said, outlet: made } = await answer(hooked, { local })
      assert.equal(asked.connects, true)
      assert.equal(await said, 'hello')
      const refuse = async (open: Socket, announcement: number): Promise<void> => {
        sockets.splice(sockets.indexOf(open), 1)
        await new Promise<void>(resolve => open.close(() => resolve()))
        hooked.send({ type: 'outletRefused', announcement, socket: asked.socket })
        assert.equal((await hooked.next('outletKnown')).announcement, announcement)
      }
      await refuse(socket, 1)
      const again = createSocket('udp4')
      sockets.push(again)
      again.bind(made.at.port, '127.0.0.1')
      await once(again, 'listening')
      // It may have sent its second datagram while nobody was there, and was refused by that.
      await Promise.race([once(again, 'message').then(() => refuse(again, 2)), result()])
      assert.deepEqual(await result(), { codes: [true, 'ECONNREFUSED', true, 'ECONNREFUSED'] })
    })

    it('that the pod cannot send have its errno', async () => {
      const { hooked, to, result } = await start('codes')
      to(`${service} 53`)
      for (const errno of ['EHOSTUNREACH', 'EMFILE', 'ENETUNREACH']) {
        const { request } = await hooked.next('outlets')
        hooked.send({ type: 'outlets', request, outlets: [], errno })
      }
      assert.deepEqual(await result(), {
        ...{ sendto: 'EHOSTUNREACH', sendmsg: 'EMFILE', connect: 'ENETUNREACH', socket: 0 },
      })
    })

    it('that a mistake keeps from being sent are refused, and told of', async () => {
      const { hooked, to, result } = await start('codes')
      to(`${service} 53`)
      // No server says so: it stands for whatever fails when the call is answered.
      const at = { address: '127.0.0.1', port: 99_999 }
      for (const connects of [false, false, true]) {
        const asked = await hooked.next('outlets')
        assert.equal(asked.connects, connects)
        hooked.send({ type: 'outlets', request: asked.request, outlets: [{ to: asked.to[0]!, at }] })
      }
      const unreachable = 'ENETUNREACH'
      assert.deepEqual(await result(), {
        ...{ sendto: unreachable, sendmsg: unreachable, connect: unreachable, socket: 0 },
      })
      assert.match(await hooked.notice('hook-mistake'), /^A system call was refused because of a mistake/)
    })

    it('of a process that forbids to be read never leave from this machine', async () => {
      const { hooked, to, result } = await start('undumpable')
      to(`${service} 53`)
      if (user === 'root')
        for (const _ of ['sendto', 'sendmsg', 'connect']) {
          const { request } = await hooked.next('outlets')
          hooked.send({ type: 'outlets', request, outlets: [], errno: 'ENETUNREACH' })
        }
      const unreachable = 'ENETUNREACH'
      assert.deepEqual(await result(), {
        ...{ sendto: unreachable, sendmsg: unreachable, connect: unreachable, socket: 0, numbers: 20 },
      })
    })

    it('of a socket that was closed are said to be over', async () => {
      const { hooked, to } = await start('closed')
      to(`${service} 53`)
      const { asked } = await answer(hooked)
      assert.equal((await hooked.next('datagramsClosed')).socket, asked.socket)
    })

    it('have descriptors of high numbers, copies too, and nothing else has', async () => {
      const { to, result } = await start('numbers')
      to(`${service} 53`)
      const { udp, copy, tcp } = await result()
      assert.ok(udp >= 768 && copy >= 768 && udp !== copy, JSON.stringify({ udp, copy }))
      assert.ok(tcp < 100)
    })

    it('are left alone where they are not part of the session', async () => {
      const { to, result } = await start('numbers', { ...rules, udp: false })
      to(`${service} 53`)
      const { udp, copy } = await result()
      assert.ok(udp < 100 && copy < 100)
    })

    it('have no socket under a limit of open files that leaves no number, and the notice says why', async () => {
      const { hooked, to, result } = await start('limited')
      to(`${service} 53`)
      assert.deepEqual(await result(), { errno: 'EMFILE' })
      assert.match(await hooked.notice('no-number-for-datagrams'), /ulimit -n/)
    })

    it('for many are left alone, with a notice', async () => {
      const { hooked, to } = await start('multicast')
      to(`${service} 5353`)
      assert.match(await hooked.notice('datagrams-for-many'), /^Multicast and broadcast/)
    })

    it('are waited for as long as SO_RCVTIMEO says, unless a signal comes', async () => {
      const { to, result } = await start('interrupted')
      to(`${service} 53`)
      assert.deepEqual(await result(), {
        found: [
          ['EINTR', true],
          ['EAGAIN', false],
        ],
      })
    })

    it('whose supervisor is killed are refused, also those that wait, and connected sockets go on', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'standin-datagrams-'))
      chmodSync(folder, 0o777)
      const results = join(folder, 'results')
      const { hooked, to } = await start('orphaned', rules, results)
      to(`${service} 53`)
      const { socket } = await answer(hooked, { local })
      socket.on('message', said => socket.send(said))
      await hooked.next('outlets')
      hooked.supervisor.kill('SIGKILL')
      const lines = () => (existsSync(results) ? readFileSync(results, 'utf8').split('\n').slice(0, -1) : [])
      await untilState('results', () => lines().length > 20)
      const refused = { sendto: 'ENETUNREACH', sendmsg: 'ENETUNREACH', connect: 'ENETUNREACH' }
      for (const line of lines())
        assert.deepEqual(JSON.parse(line), { ...refused, socket: 'ENETUNREACH', connected: 'hello' })
      process.kill(hooked.pid, 'SIGKILL')
      rmSync(folder, { recursive: true })
    })
  })
