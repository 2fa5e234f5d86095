// What the options of `standin serve` do to a real server: its log, its watch over the client, and what reaches its standard output.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { markRun, processesOf, untilNothing } from '../stage/leftovers.ts'
import { type RawServer, startRawServer } from '../stage/raw-server.ts'
import { type SmallTarget, startSmallTarget } from '../stage/small-target.ts'

const run = markRun()

describe('standin serve', () => {
  let folder: string
  let target: SmallTarget | undefined
  const servers: RawServer[] = []
  const start = (args: string[], environment: NodeJS.ProcessEnv = run.environment, through?: string[]) => {
    const server = startRawServer(args, environment, through)
    servers.push(server)
    return server
  }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'serve-options-'))
  })
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.child.stdin?.end()
      await server.ended
    }
    await target?.end()
    target = undefined
    rmSync(folder, { recursive: true })
    await untilNothing('processes of standin', () => processesOf(run.value))
  })
  /** Initializes, does something that is logged at level debug and something that is a warning, and ends. */
  const useAndEnd = async ({ client, child, ended }: RawServer) => {
    await client.ask('initialize', {})
    client.send({ method: 'noSuchNotification' })
    child.stdin?.end()
    await ended
  }
  const debugLine = /^\S+Z debug the connection ended: eof$/m
  const warningLine = /^\S+Z warning unknown notification "noSuchNotification"$/m

  it('--log-file takes the log instead of standard error, private to the user, and is added to', async () => {
    const file = join(folder, 'log')
    for (const times of [1, 2]) {
      const server = start([`--log-file=${file}`, '--log-level=debug'])
      await useAndEnd(server)
      assert.equal(server.errors(), '')
      const text = readFileSync(file, 'utf8')
      assert.equal(text.match(new RegExp(debugLine, 'gm'))?.length, times)
      assert.match(text, warningLine)
    }
    assert.equal(statSync(file).mode & 0o777, 0o600)
  })

  it('--log-file that cannot be written is refused with the reason and the help page', async () => {
    const server = start([`--log-file=${folder}/no/log`])
    assert.equal(await server.ended, 2)
    assert.match(
      server.errors(),
      /^standin: .*the log file ".*\/no\/log" cannot be written \(ENOENT\)\nstandin: fix: See "standin serve --help"\n$/,
    )
  })

  it('--log-level says what is logged: warnings by default, less with error, everything with debug', async () => {
    const said = async (args: string[]) => {
      const server = start(args)
      await useAndEnd(server)
      return [warningLine, debugLine].map(line => line.test(server.errors()))
    }
    assert.deepEqual(await said([]), [true, false])
    assert.deepEqual(await said(['--log-level=error']), [false, false])
    assert.deepEqual(await said(['--log-level=info']), [true, false])
    assert.deepEqual(await said(['--log-level=debug']), [true, true])
    const wrong = start(['--log-level=loud'])
    assert.equal(await wrong.ended, 2)
    assert.match(wrong.errors(), /--log-level is one of error, warning, info, debug, not "loud"/)
  })

  it('--clientProcessId ends the server when that process is gone, though the pipes stay open', async () => {
    const editor = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
    const server = start([`--clientProcessId=${editor.pid}`])
    await server.client.ask('initialize', {})
    await endOf(editor)
    assert.equal(await server.ended, 1)
  })

  it('--clientProcessId of another user, about whom the server may not ask, does not end it', async () => {
    const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups', '--', 'cat']
    const editor = spawn('setpriv', nobody, { stdio: ['pipe', 'ignore', 'ignore'] })
    const tell = join(folder, 'tell.cjs')
    writeFileSync(
      tell,
      `const { kill } = process
      process.kill = (pid, signal) => {
        try {
          return kill.call(process, pid, signal)
        } catch (error) {
          if (pid === ${editor.pid}) console.error('kill gave ' + error.code)
          throw error
        }
      }`,
    )
    // root without the right to signal others' processes
    const server = start(
      [`--clientProcessId=${editor.pid}`],
      { ...run.environment, NODE_OPTIONS: `--require=${tell}` },
      ['setpriv', '--bounding-set', '-kill', '--inh-caps', '-kill', '--'],
    )
    await server.client.ask('initialize', {})
    await server.untilErrors(/(kill gave EPERM\n){2}/)
    assert.equal((await server.client.ask('listSessions')).error, undefined)
    server.child.stdin?.end()
    await server.ended
    await endOf(editor)
  })

  it('keeps standard output for messages, whatever prints there, a library or a stray console.log', async () => {
    const stray = join(folder, 'stray.cjs')
    writeFileSync(
      stray,
      `if (/server\\.cjs/.test(process.argv[1])) setInterval(() => {
        console.log('stray log'); console.info('stray info'); console.table([{ stray: 1 }]); console.dir({ stray: 2 })
        process.stdout.write('stray write\\n'); globalThis.console.debug('stray debug')
      }, 1).unref()`,
    )
    const server = start(['--stdio'], { ...run.environment, NODE_OPTIONS: `--require=${stray}` })
    await server.client.ask('initialize', {})
    for (let time = 0; time < 200; time++) {
      await server.client.ask('listSessions')
      await new Promise(setImmediate)
    }
    for (const word of ['log', 'info', 'write', 'debug'])
      await server.untilErrors(new RegExp(`stray ${word}`))
  })

  it('gives its standard input and output to no process that it starts', async () => {
    target = await startSmallTarget(8080)
    const server = start(['--stdio'])
    await server.client.ask('initialize', {})
    const { result } = await server.client.ask('startSession', { target: target.name })
    const { sessionId } = result ?? {}
    await server.client.ask('launch', { sessionId, command: ['sleep', '1000'], stdin: 'pipe' })
    await server.client.ask('prepareLaunch', { sessionId })
    const own = [0, 1].map(fd => readlinkSync(`/proc/${server.child.pid}/fd/${fd}`))
    const others = processesOf(run.value).filter(({ pid }) => pid !== server.child.pid)
    assert.deepEqual(
      ['agent', 'guard', 'hook'].filter(name => !others.some(({ program }) => program === name)),
      [],
    )
    assert.deepEqual(
      others.filter(({ pid }) => filesOf(pid).some(file => own.includes(file))),
      [],
    )
  })
})

async function endOf(editor: ChildProcess): Promise<void> {
  const gone = once(editor, 'exit')
  editor.stdin?.end()
  await gone
}

/** What its descriptors lead to. */
function filesOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
    } catch {
      return []
    }
  })
}
