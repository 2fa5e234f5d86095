// Which Unix sockets are the pod's by patterns, and which patterns are refused.
import assert from 'node:assert/strict'
import { UnixStreams, unixPatternFaults, unixPatternsLimit } from '../../../protocol/outgoing/unix-streams.ts'

describe('UnixStreams', () => {
  const streams = new UnixStreams(['^/run/app/', 'docker\\.sock$', '^@app'])
  const rule = (text: string) => `pattern "${text}" of feature.network.outgoing.unix_streams`
  for (const [name, expected] of [
    ['/run/app/db.sock', rule('^/run/app/')],
    ['/var/run/docker.sock', rule('docker\\.sock$')],
    ['@app-1', rule('^@app')],
    ['/run/other/run/app/x', undefined],
    ['/run/dockerxsock', undefined],
    ['/srv/@app', undefined],
    ['', undefined],
  ] as const)
    it(`${expected === undefined ? 'leaves' : 'gives'} ${JSON.stringify(name)} ${expected === undefined ? 'here' : 'to the pod'}`, () => {
      assert.equal(streams.ruleFor(name), expected)
    })
})

describe('unixPatternFaults()', () => {
  for (const [patterns, faults] of [
    [['^/run/', '.*', '/café/'], []],
    [[], ['it is empty; name what it is for, or leave it out']],
    [[''], ['an empty pattern would match every socket; write ".*" for that']],
    [['(/run'], ['"(/run" is no regular expression (Unterminated group)']],
    [['a', '(?i)x', '\\A/run'], 2],
    [['x'.repeat(unixPatternsLimit), 'y'], 1],
  ] as const)
    it(`says of ${JSON.stringify(patterns).slice(0, 40)}: ${typeof faults === 'number' ? `${faults} faults` : faults.join() || 'nothing'}`, () => {
      const found = unixPatternFaults(patterns)
      if (typeof faults === 'number') assert.equal(found.length, faults)
      else assert.deepEqual(found, faults)
    })
})
