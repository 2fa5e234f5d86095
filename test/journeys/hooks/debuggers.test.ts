// Debuggers attach to programs under the hooks: gdb, node --inspect, debugpy; their own ports stay private.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { compile } from '../../stage/compile-programs.ts'
import { HookHarness } from '../../stage/hook-harness.ts'
import type { HookedCommand, Listener } from '../../stage/hooked-command.ts'
import { linesOf } from '../../stage/lines.ts'

const caller = { address: '10.9.8.7', port: 4321 }

describe('a debugger', () => {
  let harness: HookHarness
  let port = 9700
  beforeEach(async () => {
    harness = await HookHarness.open()
    port++
  })
  afterEach(async () => {
    assert.deepEqual(await harness.close(), [], 'processes that "end" did not end')
  })

  async function serves(
    hooked: HookedCommand,
    listener: Listener,
    bytes: string,
    answer: RegExp,
  ): Promise<void> {
    assert.match(
      await hooked.deliver(listener, { caller, pod: { address: '10.1.2.3', port } }, bytes),
      answer,
    )
  }
  const privatePortsOnly = (hooked: HookedCommand) =>
    assert.ok(!hooked.messages.has(message => message.type === 'listening' && message.asked.port !== port))

  it('gdb stops at a breakpoint after accept, goes on, and detaches', async () => {
    const hooked = await harness.start([compile('accept.c', 'c'), String(port)], { ports: [port] })
    const listener = await hooked.listening(port)
    const script = [
      'set pagination off',
      'break serve',
      'echo attached\\n',
      'continue',
      'bt 1',
      'detach',
      'quit',
    ]
    const gdb = harness.own(
      spawn(
        'gdb',
        ['-nx', '-q', '-batch', '-p', String(hooked.pid), ...script.flatMap(line => ['-ex', line])],
        {
          stdio: ['ignore', 'pipe', 'ignore'],
          env: { ...process.env, DEBUGINFOD_URLS: '' },
        },
      ),
    )
    const output = linesOf(gdb.stdout)
    const exited = once(gdb, 'exit')
    await output.until('gdb to attach', line => line === 'attached')
    await serves(hooked, listener, 'one', /^ok one$/)
    await output.until('the breakpoint', line => /Breakpoint 1, serve/.test(line))
    await exited
    await serves(hooked, listener, 'two', /^ok two$/)
  })

  it('gdb can run the command itself', async () => {
    const program = compile('accept.c', 'c')
    const command = ['gdb', '-nx', '-q', '-batch', '-ex', 'run', '-ex', 'bt', '--args', program, String(port)]
    const hooked = await harness.start(command, { ports: [port], environment: { DEBUGINFOD_URLS: '' } })
    const listener = await hooked.listening(port)
    await serves(hooked, listener, 'one', /^ok one$/)
    await serves(hooked, listener, 'two', /^ok two$/)
  })

  it('node --inspect listens on its own port and answers', async () => {
    const server = `${harness.programs}/http-server.mjs`
    const hooked = await harness.start([process.execPath, '--inspect=127.0.0.1:0', server, String(port)], {
      ports: [port],
    })
    const line = await hooked.errors.until('the inspector', line => line.startsWith('Debugger listening on'))
    const inspector = /ws:\/\/(\S+:\d+)\//.exec(line)![1]!
    const list = (await (await fetch(`http://${inspector}/json/list`)).json()) as { url: string }[]
    assert.match(list[0]!.url, /http-server\.mjs$/)
    await serves(hooked, await hooked.listening(port), 'GET /x HTTP/1.1\r\nhost: pod\r\n\r\n', /ok x$/)
    privatePortsOnly(hooked)
  })

  it('debugpy waits for its client, and the program runs when it came', async () => {
    const own = port + 500
    const command = [
      '/usr/bin/python3',
      '-Xfrozen_modules=off',
      '-m',
      'debugpy',
      '--listen',
      `127.0.0.1:${own}`,
    ]
    const server = [`${harness.programs}/serve.py`, String(port)]
    const hooked = await harness.start([...command, '--wait-for-client', ...server], { ports: [port] })
    const client = harness.own(
      spawn('/usr/bin/python3', ['-c', attach, String(own)], { stdio: ['ignore', 'pipe', 'inherit'] }),
    )
    await linesOf(client.stdout).until('debugpy to answer', line => line === 'attached', 30_000)
    await serves(hooked, await hooked.listening(port), 'one', /^ok one$/)
    privatePortsOnly(hooked)
  })
})

/** The three requests of the Debug Adapter Protocol with which an editor attaches. */
const attach = `
import json, socket, sys, time
deadline = time.monotonic() + 25
while True:
    try:
        channel = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
        break
    except OSError:
        if time.monotonic() > deadline: raise
        time.sleep(0.02)
stream = channel.makefile('rb')
def send(number, command, arguments):
    body = json.dumps({'seq': number, 'type': 'request', 'command': command, 'arguments': arguments}).encode()
    channel.sendall(b'Content-Length: %d\\r\\n\\r\\n' % len(body) + body)
def until(test):
    while True:
        length = 0
        while (line := stream.readline().strip()):
            if line.lower().startswith(b'content-length:'): length = int(line.split(b':')[1])
        message = json.loads(stream.read(length))
        if test(message): return message
send(1, 'initialize', {'adapterID': 'test'})
until(lambda m: m.get('request_seq') == 1)
send(2, 'attach', {'name': 'test', 'type': 'python', 'request': 'attach'})
until(lambda m: m.get('event') == 'initialized')
send(3, 'configurationDone', {})
assert until(lambda m: m.get('request_seq') == 2)['success']
print('attached', flush=True)
stream.read()
`
