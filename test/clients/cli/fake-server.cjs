// Stands in for dist/server.cjs in tests of the client alone: answers as FAKE_SCRIPT (JSON) says, and runs prepared commands without hooks.
const { spawn } = require('node:child_process')
const { appendFileSync } = require('node:fs')
const net = require('node:net')
const { join } = require('node:path')

const script = JSON.parse(process.env.FAKE_SCRIPT ?? '{}')
const socketPath = join(process.env.FAKE_FOLDER, `server-${process.pid}.sock`)
const failure = script.startFailure
let startId
let silent = false

if (process.argv.includes('--fake-hook')) supervise()
else serve()

/** The supervisor's part: runs the command in this terminal and tells the server how it ended. */
function supervise() {
  const [command, ...args] = process.argv.slice(process.argv.indexOf('--') + 1)
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTSTP', 'SIGTERM']) process.on(signal, () => {})
  const tell = (said, code) => {
    const socket = net.connect(process.env.FAKE_SOCKET, () => socket.end(JSON.stringify(said)))
    socket.on('error', () => process.exit(code))
    socket.on('close', () => process.exit(code))
  }
  const child = spawn(command, args, { stdio: 'inherit' })
  child.on('spawn', () => appendFileSync(process.env.FAKE_LOG, `command ${child.pid}\n`))
  child.on('error', error => {
    const code = error.code === 'ENOENT' ? 127 : 126
    tell({ code, failure: `Cannot run command "${command}": ${error.code}` }, code)
  })
  child.on('exit', (code, signal) => tell(signal ? { signal } : { code }, code ?? 1))
  net
    .connect(process.env.FAKE_SOCKET)
    .on('error', () => {})
    .on('close', () => child.kill('SIGTERM'))
    .write('alive')
}

function serve() {
  appendFileSync(process.env.FAKE_LOG, `server ${process.pid}\n`)
  net
    .createServer(socket =>
      socket.on('data', data => {
        const text = data.toString()
        if (text !== 'alive')
          send({ method: 'process/exit', params: { processId: 'p1', ...JSON.parse(text) } })
      }),
    )
    .listen(socketPath)
  let input = Buffer.alloc(0)
  process.stdin.on('data', chunk => {
    input = Buffer.concat([input, chunk])
    for (;;) {
      const head = input.indexOf('\r\n\r\n')
      if (head < 0) return
      const length = Number(/Content-Length: (\d+)/i.exec(input.subarray(0, head).toString())[1])
      if (input.length < head + 4 + length) return
      const body = input.subarray(head + 4, head + 4 + length).toString()
      input = input.subarray(head + 4 + length)
      take(JSON.parse(body))
    }
  })
  process.stdin.on('end', leave)
}

/** Ends at once, or as a server that has much to end, whether anyone waits for it or not. */
function leave() {
  setTimeout(() => {
    appendFileSync(process.env.FAKE_LOG, 'ended by itself\n')
    process.exit(0)
  }, script.leaveMs ?? 0)
}

function send(message) {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message })
  process.stdout.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

function take({ id, method, params }) {
  appendFileSync(process.env.FAKE_LOG, `${method} ${JSON.stringify(params)}\n`)
  if (script.silentFrom === method) silent = true
  if (silent || script.unanswered === method) return
  if (script.dieOn === method) process.kill(process.pid, 'SIGKILL')
  const answer = result => send({ id, result })
  const session = state => ({
    sessionId: 's1',
    target: params.target,
    state,
    startedAt: '2026-01-01T00:00:00.000Z',
    processes: 0,
  })
  if (method === 'initialize')
    answer({ serverInfo: { name: 'standin', version: '0' }, capabilities: { methods: [], hooks: true } })
  else if (script.answers?.[method] !== undefined) answer(script.answers[method])
  else if (method === 'listTargets') {
    startId = id
    const sendPart = value =>
      send({ method: '$/progress', params: { token: params.partialResultToken, value } })
    for (const part of script.parts ?? []) sendPart(part)
    if (script.latePart !== undefined) setTimeout(sendPart, 1_000, script.latePart)
    else answer(script.targets ?? { targets: [], warnings: [] })
  } else if (method === 'startSession') {
    startId = id
    send({ method: 'session/status', params: session('starting') })
    const steps = script.steps ?? [{ step: 'agent', message: 'starting the agent', elapsedMs: 3 }]
    for (const step of steps) {
      const value = { kind: 'report', ...step }
      send({ method: '$/progress', params: { token: params.workDoneToken ?? 'none', value } })
    }
    if (failure) return send({ id, error: failure })
    if (script.hangStart) return
    send({ method: 'session/status', params: session('running') })
    answer({
      sessionId: 's1',
      target: { target: params.target, kind: 'process', name: 'shop', ready: true, ports: [8080], pid: 1 },
      hostname: 'shop',
      addresses: ['10.1.0.2'],
      ports: [8080],
      environment: { set: {}, unset: [] },
      warnings: script.warnings ?? [],
    })
  } else if (method === '$/cancelRequest') {
    const data = { kind: 'cancelled', blame: 'user', retryable: true, fix: 'Send the request again' }
    send({ id: startId, error: { code: -32800, message: 'cancelled', data } })
  } else if (method === 'prepareLaunch') {
    const argv = [process.execPath, __filename, '--fake-hook', '--', ...params.command]
    answer({
      processId: 'p1',
      argv,
      environment: { FAKE_SOCKET: socketPath, FROM_SERVER: 'yes' },
      shimFolder: '',
    })
  } else if (method === 'signalProcess') {
    const command = Number(
      /^command (\d+)$/m.exec(require('node:fs').readFileSync(process.env.FAKE_LOG, 'utf8'))[1],
    )
    process.kill(command, params.signal)
    answer(null)
  } else if (method === 'streamTraffic') {
    answer({ trafficId: 'v1' })
    for (const batch of script.traffic ?? [])
      send({ method: 'traffic/events', params: { trafficId: 'v1', ...batch } })
  } else if (method === 'stopTraffic') answer({ dropped: 0 })
  else if (method === 'listSessions') answer({ sessions: [] })
  else if (method === 'exit') leave()
  else if (id !== undefined) answer(null)
}
