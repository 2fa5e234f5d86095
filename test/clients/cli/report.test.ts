// What exec prints in its three forms.
import assert from 'node:assert/strict'
import { jsonReporter, lineReporter, spinnerReporter, type Verbosity } from '../../../clients/cli/report.ts'
import { type ExecLine, execLine } from '../../../protocol/cli-output.ts'
import { decode } from '../../../protocol/codec.ts'

const lines: ExecLine[] = [
  { event: 'session', sessionId: 's1', state: 'starting' },
  { event: 'step', step: 'agent', message: 'starting the agent', elapsedMs: 12 },
  {
    event: 'ready',
    sessionId: 's1',
    target: 'process/1',
    hostname: 'shop',
    addresses: ['10.1.0.2'],
    ports: [80],
  },
  { event: 'notice', level: 'warning', message: 'port 80 is held by "nginx"' },
  { event: 'notice', level: 'log', message: 'details' },
  { event: 'session', sessionId: 's1', state: 'reconnecting', reason: 'the link closed', attempt: 2 },
  {
    event: 'error',
    error: {
      code: 1,
      kind: 'k',
      blame: 'user',
      retryable: false,
      message: 'Cannot do it: no',
      fix: 'Do that',
      detail: 'line one\nline \x1b[2J two',
    },
  },
  { event: 'exit', exitCode: 0 },
]

function printed(make: (write: (text: string) => void) => { report(line: ExecLine): void }): string[] {
  let text = ''
  const reporter = make(part => {
    text += part
  })
  for (const line of lines) reporter.report(line)
  return text.split('\n').slice(0, -1)
}

const said = (verbosity: Verbosity) => printed(write => lineReporter(write, verbosity))

describe('lineReporter()', () => {
  it('names the pod that connections leave from where there is no target', () => {
    const written: string[] = []
    lineReporter(text => written.push(text), 'normal').report({
      ...{ event: 'ready', sessionId: 's1', target: 'targetless', hostname: 'standin-agent-x' },
      ...{ addresses: ['10.1.0.2'], ports: [] },
    })
    assert.deepEqual(written, [
      'standin: standing in for no pod: connections leave from standin-agent-x, 10.1.0.2\n',
    ])
  })

  it('prints sentences that can be told from the output of the command', () => {
    assert.deepEqual(said('normal'), [
      'standin: starting the agent (12 ms)',
      'standin: standing in for process/1 (shop, 10.1.0.2; port 80)',
      'standin: port 80 is held by "nginx"',
      'standin: session reconnecting: the link closed (attempt 2)',
      'standin: Cannot do it: no',
      'standin: fix: Do that',
    ])
  })

  it('tells why a step waits as it changes, with the time, and the same reason again once in 5 s', () => {
    const waits = (message: string, elapsedMs: number): ExecLine => ({
      event: 'step',
      step: 'pull',
      message,
      elapsedMs,
    })
    const all: ExecLine[] = [
      waits('pulling image node:22, 1 s', 1_000),
      waits('pulling image node:22, 2 s', 2_000),
      waits('pulling image node:22, 11 s', 11_000),
      waits('pulling image node:22, 11 s', 11_500),
      waits('the image was not found', 12_000),
    ]
    const printedOf = (make: typeof lineReporter) => {
      let text = ''
      const reporter = make(part => (text += part), 'normal')
      for (const line of all) reporter.report(line)
      return text.split('\n').slice(0, -1)
    }
    assert.deepEqual(printedOf(lineReporter), [
      'standin: pulling image node:22, 1 s (1000 ms)',
      'standin: pulling image node:22, 11 s (11.0 s)',
      'standin: the image was not found (12.0 s)',
    ])
    assert.equal(printedOf(jsonReporter).length, 4)
  })

  it('prints errors alone when quiet, and the log too when verbose', () => {
    assert.deepEqual(said('quiet'), ['standin: Cannot do it: no', 'standin: fix: Do that'])
    const all = said('verbose')
    assert.ok(all.includes('standin: details'))
    assert.deepEqual(
      all.slice(-2),
      ['standin: detail: line one', 'standin: line ?[2J two'],
      'on lines of ours',
    )
  })
})

describe('jsonReporter()', () => {
  it('prints one object a line, each of the published shape', () => {
    const objects = printed(write => jsonReporter(write, 'verbose')).map(line => JSON.parse(line))
    assert.deepEqual(objects, lines)
    for (const object of objects) assert.ok(decode(execLine, object).ok)
  })

  it('prints errors alone when quiet', () => {
    const objects = printed(write => jsonReporter(write, 'quiet')).map(line => JSON.parse(line))
    assert.deepEqual(
      objects.map(({ event }) => event),
      ['error'],
    )
  })
})

describe('spinnerReporter()', () => {
  it('shows steps in the spinner, lines around it, and leaves the screen when the session is ready', () => {
    const calls: string[] = []
    const spinner = {
      set text(value: string) {
        calls.push(`text ${value}`)
      },
      get text() {
        return ''
      },
      start: () => calls.push('start'),
      stop: () => calls.push('stop'),
    }
    const reporter = spinnerReporter(text => calls.push(text.trim()), 'normal', spinner)
    for (const line of [lines[1]!, lines[3]!, lines[2]!, lines[3]!]) reporter.report(line)
    assert.deepEqual(calls, [
      'start',
      'text starting the agent',
      'stop',
      'standin: port 80 is held by "nginx"',
      'start',
      'stop',
      'standin: standing in for process/1 (shop, 10.1.0.2; port 80)',
      'standin: port 80 is held by "nginx"',
    ])
  })

  it('stops turning before the command can write: at the step that links', () => {
    let turning = false
    const spinner = {
      text: '',
      start: () => {
        turning = true
      },
      stop: () => {
        turning = false
      },
    }
    const reporter = spinnerReporter(() => {}, 'normal', spinner)
    reporter.report(lines[1]!)
    assert.ok(turning)
    reporter.report({ event: 'step', step: 'link', message: 'linking to the agent' })
    reporter.report({ event: 'session', sessionId: 's1', state: 'running' })
    assert.ok(!turning)
  })
})
