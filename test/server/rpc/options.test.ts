// The command line of "standin serve".
import assert from 'node:assert/strict'
import { readOptions } from '../../../server/rpc/options.ts'

describe('readOptions()', () => {
  it('speaks over stdio by default', () => {
    const plain = { transport: { kind: 'stdio' }, logLevel: 'warning', trace: 'off' }
    assert.deepEqual(readOptions([]), plain)
    assert.deepEqual(readOptions(['--stdio']), plain)
  })

  it('reads each transport', () => {
    const transport = (flag: string) => readOptions([flag])?.transport
    assert.deepEqual(transport('--pipe=/tmp/x'), { kind: 'dial', to: { path: '/tmp/x' } })
    assert.deepEqual(transport('--socket=81'), { kind: 'dial', to: { host: '127.0.0.1', port: 81 } })
    assert.deepEqual(transport('--listen=unix:/tmp/x'), { kind: 'listen', at: { path: '/tmp/x' } })
    assert.deepEqual(transport('--listen=tcp:0'), { kind: 'listen', at: { host: '127.0.0.1', port: 0 } })
  })

  it('reads the log, the trace and the client', () => {
    const options = readOptions([
      '--log-file',
      '/tmp/l',
      '--log-level=debug',
      '--trace',
      '--clientProcessId=7',
    ])
    assert.deepEqual(options, {
      transport: { kind: 'stdio' },
      logFile: '/tmp/l',
      logLevel: 'debug',
      trace: 'messages',
      clientProcessId: 7,
    })
  })

  it('gives nothing when help is asked for', () => assert.equal(readOptions(['-h']), undefined))

  for (const [args, expected] of [
    [['--stdoi'], /unknown option "--stdoi" \(did you mean "--stdio"\?\)/],
    [['--stdio', '--socket=1'], /exclude each other/],
    [['--socket=0'], /--socket is a number from 1 to 65535, not "0"/],
    [['--listen=udp:1'], /--listen is unix:PATH or tcp:PORT, not "udp:1"/],
    [['--log-level=loud'], /--log-level is one of error, warning, info, debug, not "loud"/],
    [['--trace=some'], /--trace is off, messages or verbose/],
    [['stray'], /Cannot run this command line/],
  ] as const) {
    it(`refuses ${args.join(' ')}`, () => assert.throws(() => readOptions(args), expected))
  }
})
