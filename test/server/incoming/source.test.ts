// From which address and port a listener is reached.
import assert from 'node:assert/strict'
import { routesTo, SourcePorts } from '../../../server/incoming/source.ts'

describe('routesTo()', () => {
  const cases: [string, [to: string, from: string][]][] = [
    ['127.0.0.1', [['127.0.0.1', '127.0.0.1']]],
    ['127.0.0.5', [['127.0.0.5', '127.0.0.1']]],
    ['0.0.0.0', [['127.0.0.1', '127.0.0.1']]],
    ['::ffff:127.0.0.1', [['127.0.0.1', '127.0.0.1']]],
    ['::ffff:0.0.0.0', [['127.0.0.1', '127.0.0.1']]],
    ['::1', [['::1', '::1']]],
    [
      '::',
      [
        ['::1', '::1'],
        ['127.0.0.1', '127.0.0.1'],
      ],
    ],
    ['192.168.1.7', [['192.168.1.7', '192.168.1.7']]],
    ['fd00::7', [['fd00::7', 'fd00::7']]],
  ]
  for (const [address, expected] of cases) {
    it(`reaches ${address} at ${expected.map(([to, from]) => `${to} from ${from}`).join(', else at ')}`, () =>
      assert.deepEqual(
        routesTo({ address, port: 1 }),
        expected.map(([to, from]) => ({ to, from })),
      ))
  }
})

describe('SourcePorts', () => {
  it('gives ports from 20000 to 60999, each once, and says when none is left', () => {
    const ports = new SourcePorts()
    const taken = new Set<number | undefined>()
    for (let count = 0; count < 41_000; count++) taken.add(ports.take())
    const numbers = [...taken].map(Number)
    assert.deepEqual([taken.size, Math.min(...numbers), Math.max(...numbers)], [41_000, 20_000, 60_999])
    assert.equal(ports.take(), undefined)
    ports.release(30_000)
    assert.equal(ports.take(), 30_000)
  })
  it('gives a released port again only after all others', () => {
    const ports = new SourcePorts(40_998)
    const first = ports.take() ?? 0
    assert.equal(first, 60_998)
    ports.release(first)
    assert.deepEqual([ports.take(), ports.take()], [60_999, 20_000])
  })
})
