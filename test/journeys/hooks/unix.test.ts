// connect of Unix sockets under the hooks, with the test in the server's place: what is asked of it, and what the process sees of each answer.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { frameMessage } from '../../../protocol/sequenced/frame.ts'
import { HookHarness, nobody } from '../../stage/hook-harness.ts'
import type { HookedCommand } from '../../stage/hooked-command.ts'
import { linesOf } from '../../stage/lines.ts'
import { stateOf, untilState } from '../../stage/process-state.ts'
import { type RelayProcess, startRelay } from '../../stage/relay-process.ts'

const python = '/usr/bin/python3'
const path = '/run/of-the-pod/app.sock'
const patterns = ['^/run/of-the-pod/', '^@of-the-pod', '/both\\.sock$']

for (const [user, owner] of [
  ['root', {}],
  ['an ordinary user', nobody],
] as const)
  describe(`connect of a Unix socket of a process of ${user}`, () => {
    let harness: HookHarness
    let relay: RelayProcess
    const met: Socket[] = []
    beforeEach(async () => {
      harness = await HookHarness.open(owner)
      relay = await startRelay(harness.dist, owner)
    })
    afterEach(async () => {
      assert.deepEqual(await harness.close(), [])
      await relay.close()
      for (const socket of met.splice(0)) socket.destroy()
    })

    async function start(way: string, cwd?: string) {
      const command = [python, `${harness.programs}/unix-connect.py`, way]
      const outgoing = { tcp: false, ignoreLocalhost: false, unix: patterns }
      const hooked = await harness.start(command, { outgoing, ...(cwd === undefined ? {} : { cwd }) })
      return {
        hooked,
        to: (name: string) => void hooked.supervisor.stdin?.write(`${name}\n`),
        result: async () => JSON.parse(await hooked.output.until('the result', line => line.startsWith('{'))),
      }
    }

    /** The pod is connected: the process's own end, met at the relay's. */
    async function establish(hooked: HookedCommand): Promise<Socket> {
      const { connection, supervisor, seqpacket } = await hooked.next('unixConnect')
      const place = await relay.meet(supervisor, { seqpacket })
      hooked.send({ type: 'unixMeet', connection, name: place.name })
      await hooked.next('known')
      const socket = await place.take()
      assert.ok(typeof socket !== 'string', String(socket))
      hooked.send({ type: 'established', connection })
      met.push(socket)
      return socket
    }

    function echo(socket: Socket): void {
      let heard = ''
      socket.allowHalfOpen = true
      socket.on('data', part => {
        heard += part
      })
      socket.on('end', () => socket.end(`heard ${heard}`))
    }

    for (const [way, name] of [
      ['blocking', path],
      ['non_blocking', path],
      ['blocking', '@of-the-pod'],
    ] as const)
      it(`made ${way} to ${name}: is there when the pod has answered, and shows the name that was asked for`, async () => {
        const { hooked, to, result } = await start(way)
        to(name)
        echo(await establish(hooked))
        assert.deepEqual(await result(), { answer: 'heard hello', peer: name, own: '' })
      })

    it('by asyncio talks as any other', async () => {
      const { hooked, to, result } = await start('asyncio')
      to(path)
      echo(await establish(hooked))
      assert.deepEqual(await result(), { answer: 'heard hello' })
    })

    it('has the errno of the pod, and the socket of another can be connected afterwards', async () => {
      const { hooked, to } = await start('blocking')
      for (const [index, errno] of ['ENOENT', 'ECONNREFUSED', 'EACCES', 'EAGAIN', 'ENETUNREACH'].entries()) {
        to(path)
        const { connection, path: asked, rule } = await hooked.next('unixConnect')
        assert.deepEqual(
          [asked, rule],
          [path, 'pattern "^/run/of-the-pod/" of feature.network.outgoing.unix_streams'],
        )
        hooked.send({ type: 'refused', connection, errno })
        await hooked.output.untilCount('results', index + 1, () => true)
        assert.deepEqual(JSON.parse(hooked.output.all[index]!), { errno })
      }
      to(path)
      echo(await establish(hooked))
      await hooked.output.untilCount('results', 6, () => true)
      assert.equal(JSON.parse(hooked.output.all[5]!).answer, 'heard hello')
    })

    it('that does not block asks for no wait, a blocking one for as long as SO_SNDTIMEO, which ends it with EAGAIN', async () => {
      const { hooked, to } = await start('non_blocking')
      to(path)
      const { connection, withinMs } = await hooked.next('unixConnect')
      assert.equal(withinMs, 0)
      hooked.send({ type: 'refused', connection, errno: 'EAGAIN' })
      const timed = await start('timed')
      timed.to(path)
      const asked = await timed.hooked.next('unixConnect')
      assert.equal(asked.withinMs, 300)
      assert.deepEqual(await timed.result(), { errno: 'EAGAIN' })
      assert.equal((await timed.hooked.next('abandoned')).connection, asked.connection)
    })

    it('by a relative path means the path from the folder of the process', async () => {
      const folder = mkdtempSync('/tmp/unix-')
      const { hooked, to } = await start('blocking', '/tmp')
      to(`${folder.slice(5)}/both.sock`)
      const { connection, path: asked } = await hooked.next('unixConnect')
      assert.equal(asked, `${folder}/both.sock`)
      hooked.send({ type: 'refused', connection, errno: 'ENOENT' })
      rmSync(folder, { recursive: true })
    })

    for (const [way, tries] of [
      ['restarted', 1],
      ['interrupted', 2],
    ] as const)
      it(`that a signal ends and is made again (${way}) finds the same dial`, async () => {
        const { hooked, to, result } = await start(way)
        to(path)
        const { connection, supervisor } = await hooked.next('unixConnect')
        process.kill(hooked.pid, 'SIGUSR1')
        await hooked.output.until('the signal', line => line === '')
        const place = await relay.meet(supervisor)
        hooked.send({ type: 'unixMeet', connection, name: place.name })
        await hooked.next('known')
        const socket = await place.take()
        assert.ok(typeof socket !== 'string', String(socket))
        hooked.send({ type: 'established', connection })
        echo(socket)
        assert.deepEqual(await result(), { answer: 'heard hello', peer: path, own: '', tries })
        assert.equal(hooked.messages.all.filter(({ type }) => type === 'unixConnect').length, 1)
      })

    it('that was established while its process was stopped by a signal is told so once', async () => {
      const { hooked, to, result } = await start('interrupted')
      to(path)
      const { connection, supervisor } = await hooked.next('unixConnect')
      const place = await relay.meet(supervisor)
      process.kill(hooked.pid, 'SIGSTOP')
      await untilState('the stop', () => stateOf(hooked.pid) === 'T')
      process.kill(hooked.pid, 'SIGUSR1')
      hooked.send({ type: 'unixMeet', connection, name: place.name })
      await hooked.next('known')
      const socket = await place.take()
      assert.ok(typeof socket !== 'string', String(socket))
      hooked.send({ type: 'established', connection })
      process.kill(hooked.pid, 'SIGCONT')
      echo(socket)
      assert.equal((await result()).answer, 'heard hello')
    })

    it('of a connected socket gives EISCONN, of a listening one EINVAL', async () => {
      const { hooked, to, result } = await start('again')
      to(path)
      await establish(hooked)
      assert.deepEqual(await result(), { second: 'EISCONN' })
      const listening = await start('listening')
      listening.to(path)
      assert.deepEqual(await listening.result(), { errno: 'EINVAL' })
    })

    it('of a datagram socket is refused, with a notice', async () => {
      const { hooked, to, result } = await start('datagram')
      to(path)
      assert.deepEqual(await result(), { errno: 'ECONNREFUSED' })
      assert.equal(
        await hooked.notice('unix-socket-refused'),
        `A connection to the Unix socket "${path}", which feature.network.outgoing.unix_streams gives to the pod, was refused: datagram sockets do not reach the pod`,
      )
    })

    it('of a socket that keeps message boundaries gives the server its messages in frames', async () => {
      const { hooked, to, result } = await start('seqpacket')
      to(path)
      const socket = await establish(hooked)
      socket.allowHalfOpen = true
      const heard: Buffer[] = []
      socket.on('data', part => heard.push(part))
      await once(socket, 'end')
      assert.deepEqual(Buffer.concat(heard), frameMessage(Buffer.from('hello')))
      const answer = frameMessage(Buffer.from('an answer'))
      socket.write(answer.subarray(0, 6))
      socket.end(answer.subarray(6))
      assert.deepEqual(await result(), { answer: 'an answer', peer: path, own: '' })
    })

    it('to what no pattern matches is left alone', async () => {
      const here = await listenHere()
      const { hooked, to, result } = await start('blocking')
      to(here.name)
      assert.equal((await result()).answer, 'this machine')
      assert.deepEqual(
        hooked.messages.all.filter(({ type }) => type === 'unixConnect'),
        [],
      )
      here.server.close()
    })

    it('is refused by the guard when the supervisor is dead, the held one too; what no pattern matches is left alone', async () => {
      const here = await listenHere()
      const { hooked, to } = await start('blocking')
      to(path)
      await hooked.next('unixConnect')
      for (const name of [path, here.name]) to(name)
      process.kill(hooked.supervisor.pid!, 'SIGKILL')
      await hooked.output.untilCount('results', 3, () => true)
      const [held, later, left] = hooked.output.all.map(line => JSON.parse(line))
      assert.deepEqual([held, later], [{ errno: 'ENETUNREACH' }, { errno: 'ENETUNREACH' }])
      assert.equal(left.answer, 'this machine')
      here.server.close()
      process.kill(hooked.pid, 'SIGKILL')
    })

    it('whose meeting place is gone is refused', async () => {
      const { hooked, to, result } = await start('blocking')
      to(path)
      const { connection } = await hooked.next('unixConnect')
      hooked.send({ type: 'unixMeet', connection, name: 'standin-test-nowhere' })
      assert.equal((await hooked.next('abandoned')).connection, connection)
      assert.deepEqual(await result(), { errno: 'ECONNREFUSED' })
    })

    it('meets nobody but its own supervisor', async () => {
      const { hooked, to, result } = await start('blocking')
      to(path)
      const { connection, supervisor } = await hooked.next('unixConnect')
      const place = await relay.meet(supervisor)
      const script = `
import socket
made = socket.socket(socket.AF_UNIX)
made.connect("\\0${place.name}")
print("connected", flush=True)
print("heard", made.recv(100), flush=True)`
      const stranger = harness.own(
        spawn(python, ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'], ...owner }),
      )
      const heard = linesOf(stranger.stdout)
      await heard.until('the stranger', line => line === 'connected')
      hooked.send({ type: 'unixMeet', connection, name: place.name })
      await hooked.next('known')
      const socket = await place.take()
      assert.ok(typeof socket !== 'string', String(socket))
      hooked.send({ type: 'established', connection })
      await heard.until('the end', line => line === "heard b''")
      echo(socket)
      assert.equal((await result()).answer, 'heard hello')
    })
  })

/** A Unix socket of this machine that anyone reaches. */
async function listenHere(): Promise<{ name: string; server: Server }> {
  const folder = mkdtempSync(join(tmpdir(), 'unix-here-'))
  const name = join(folder, 'app.sock')
  const server = createServer({ allowHalfOpen: true }, socket => {
    socket.resume().on('end', () => socket.end('this machine'))
  })
  server.listen(name)
  await once(server, 'listening')
  chmodSync(folder, 0o755)
  chmodSync(name, 0o777)
  server.once('close', () => rmSync(folder, { recursive: true }))
  return { name, server }
}
