// What an entry of an outgoing filter may say, and what is told of one that cannot be read.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Entry, parseEntry } from '../../../protocol/outgoing/entry.ts'

const read = (text: string): Entry => {
  const parsed = parseEntry(text)
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.fault)
  return parsed.entry
}
const faultOf = (text: string): string => {
  const parsed = parseEntry(text)
  assert.ok(!parsed.ok, text)
  return parsed.fault
}
const shape = (text: string) => {
  const { protocol, port, to } = read(text)
  return [protocol, port, to.kind]
}

const label = fc.stringMatching(/^[a-z0-9_]([a-z0-9_-]{0,10}[a-z0-9_])?$/)
const last = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z])?$/)
const name = fc
  .tuple(fc.array(label, { maxLength: 3 }), last)
  .map(([labels, end]) => [...labels, end].join('.'))
const protocol = fc.constantFrom('tcp://', 'udp://', 'any://', '')
const port = fc.oneof(
  fc.constant(''),
  fc.nat(65_535).map(number => `:${number}`),
)
const masked = (bits: number) =>
  fc.oneof(
    fc.constant(''),
    fc.nat(bits).map(number => `/${number}`),
  )
const where = fc.oneof(
  name,
  fc.tuple(fc.ipV4(), masked(32)).map(([address, mask]) => `${address}${mask}`),
  fc.tuple(fc.ipV6(), masked(128)).map(([address, mask]) => `[${address}]${mask}`),
)

describe('parseEntry()', () => {
  it("reads mirrord's examples", () => {
    assert.deepEqual(shape('tcp://1.2.3.0/24:7777'), ['tcp', 7777, 'range'])
    assert.deepEqual(shape('tcp://[2800:3f0:4001:81e::2004]:7777'), ['tcp', 7777, 'range'])
    assert.deepEqual(shape('tcp://'), ['tcp', 0, 'any'])
    assert.deepEqual(shape('tcp://google.com:7777'), ['tcp', 7777, 'name'])
    assert.deepEqual(shape('rust-lang.org'), ['any', 0, 'name'])
    assert.deepEqual(shape('localhost'), ['any', 0, 'name'])
    assert.deepEqual(shape('1.2.3.0/24'), ['any', 0, 'range'])
    assert.deepEqual(shape('udp://:7777'), ['udp', 7777, 'any'])
    assert.deepEqual(shape(':7777'), ['any', 7777, 'any'])
    assert.deepEqual(shape('0.0.0.0:80'), ['any', 80, 'any'])
    assert.deepEqual(shape('[::]:80'), ['any', 80, 'any'])
  })

  it('reads every entry of that form', () => {
    fc.assert(
      fc.property(protocol, where, port, (scheme, to, end) => {
        const entry = read(`${scheme}${to}${end}`)
        assert.equal(entry.protocol, scheme === '' ? 'any' : scheme.slice(0, 3))
        assert.equal(entry.port, Number(end.slice(1)))
      }),
    )
  })

  it('takes names in any case, with their last dot', () => {
    for (const text of ['DB.Shop', 'db.shop.', 'TCP://db.SHOP.:5432'])
      assert.deepEqual(read(text).to, { kind: 'name', name: 'db.shop' })
  })

  it('says one sentence of what it cannot read, whatever that is, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9:./[\]%*-]{0,20}$/)), text => {
        const parsed = parseEntry(text)
        if (parsed.ok) return
        assert.ok(parsed.fault.startsWith(`"${text.slice(0, 80)}" `), parsed.fault)
        assert.match(parsed.fault, /; (?:write|name|names|correct) /)
      }),
    )
  })

  const faults: [string, RegExp][] = [
    ['', /is empty; name an address, a name or a port/],
    ['htp://db', /has the unknown protocol "htp".*; write tcp, udp or any/],
    ['tpc://db', /\(did you mean "tcp"\?\)/],
    [':7777udp://', /unknown protocol/],
    ['db:65536', /has the port "65536"; write one from 1 to 65535/],
    ['db:-1', /has the port "-1"/],
    ['db:', /has the port ""/],
    ['10.0.0.0/33', /has the mask "33"; write a number of bits from 0 to 32/],
    ['[2001:db8::]/129', /has the mask "129"; write a number of bits from 0 to 128/],
    ['10.0.0.0/255.0.0.0', /has the mask "255.0.0.0"/],
    ['10.0.0.0/', /has the mask ""/],
    ['tcp://google.com/24:7777', /has a mask without an address/],
    ['/8', /has a mask without an address/],
    ['2001:db8::1', /is an IPv6 address without brackets; write "\[2001:db8::1\]"/],
    ['fd00::/8', /is an IPv6 address without brackets; write "\[fd00::\]\/8"/],
    ['tcp:/db', /has one slash after its protocol; write two/],
    ['tcp://::1', /write "\[::1\]"/],
    ['[db]:80', /has no IPv6 address in its brackets/],
    ['[fe80::1%eth0]', /has no IPv6 address in its brackets/],
    ['10.0.0.256', /is no IPv4 address/],
    ['10.0', /is no IPv4 address/],
    ['*.example.com', /has a wildcard; write "example.com"/],
    ['-db', /is no name and no address/],
    ['a..b', /is no name and no address/],
    ['bücher.example', /is no name and no address/],
    [`${'a'.repeat(64)}.b`, /is no name and no address/],
  ]
  for (const [text, fault] of faults)
    it(`refuses ${JSON.stringify(text.slice(0, 30))}, and says what to write`, () =>
      assert.match(faultOf(text), fault))
})
