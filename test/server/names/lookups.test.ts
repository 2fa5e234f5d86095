// Questions of names as a view is told of them: each once, with its answer or why it has none.
import assert from 'node:assert/strict'
import { encode } from 'dns-packet'
import type { LookedUp } from '../../../protocol/rpc/outgoing-events.ts'
import { Lookups } from '../../../server/names/lookups.ts'
import { type Question, rcodes, readReply, writeAnswer } from '../../../server/names/wire.ts'
import type { Traffic } from '../../../server/traffic/traffic.ts'
import { withTraffic } from '../traffic/watch.ts'

const nameserver = { address: '10.96.0.10', port: 53 }
const choice = { where: 'pod', rule: 'no filter keeps it here' } as const
const ask = (id: number, name: string, type: Question['type'] = 'A'): Question => ({ id, name, type })
const lookups = (traffic: Traffic, withinMs?: number) =>
  new Lookups({
    ...{ nameserver, protocol: 'udp', sink: traffic.lookups },
    ...(withinMs === undefined ? {} : { withinMs }),
  })

function answer(
  to: Lookups,
  question: Question,
  rcode: number,
  addresses: string[] = [],
  file?: string,
): void {
  const answers = addresses.map(data => ({ type: 'A' as const, name: question.name, data }))
  const message = writeAnswer(question, rcode, answers)
  to.answered(message, readReply(message), file)
}

const brief = (events: readonly unknown[]) =>
  (events as LookedUp[]).map(
    ({ name, type, code, reason, addresses, durationMs }) =>
      `${name} ${type} ${code ?? reason ?? 'none'} ${[...addresses, durationMs].join(' ')}`,
  )

describe('Lookups', () => {
  it('tell of a question when it is answered, with all that is known of both', () =>
    withTraffic(stage => {
      const view = stage.view()
      const followed = lookups(stage.traffic)
      followed.asked(ask(7, 'web.shop'), choice)
      stage.clock.tick(12)
      answer(followed, ask(7, 'WEB.shop'), rcodes.noError, ['10.96.0.7'], '/etc/hosts')
      answer(followed, ask(7, 'web.shop'), rcodes.noError, ['10.96.0.8'])
      assert.deepEqual(view.events(), [
        {
          ...{ event: 'lookedUp', at: 5_012, name: 'web.shop', type: 'A', ...choice, nameserver },
          ...{ protocol: 'udp', addresses: ['10.96.0.7'], records: 1, durationMs: 12 },
          ...{ code: 'NOERROR', file: '/etc/hosts' },
        },
      ])
    }))

  it('tell two questions at once apart, and take one that is asked again for the same', () =>
    withTraffic(stage => {
      const view = stage.view()
      const followed = lookups(stage.traffic)
      followed.asked(ask(7, 'web', 'A'), choice)
      followed.asked(ask(7, 'web', 'AAAA'), choice)
      stage.clock.tick(5)
      followed.asked(ask(7, 'web', 'A'), choice)
      answer(followed, ask(7, 'web', 'AAAA'), rcodes.noSuchName)
      answer(followed, ask(7, 'web', 'A'), rcodes.noError, ['10.0.0.1'])
      assert.deepEqual(brief(view.events()), ['web AAAA NXDOMAIN 5', 'web A NOERROR 10.0.0.1 5'])
    }))

  it('take an answer without its question for that of its id, and no other', () =>
    withTraffic(stage => {
      const view = stage.view()
      const followed = lookups(stage.traffic)
      followed.asked(ask(7, 'web'), choice)
      answer(followed, ask(7, 'other'), rcodes.noError)
      followed.answered(encode({ type: 'response', id: 8, flags: rcodes.serverFailure }), undefined)
      followed.answered(Buffer.alloc(1), undefined)
      assert.deepEqual(view.events(), [])
      followed.answered(encode({ type: 'response', id: 7, flags: rcodes.serverFailure }), undefined)
      assert.deepEqual(brief(view.events()), ['web A SERVFAIL 20'])
    }))

  it('tell of those that have no answer: with a reason, when nobody waits any more, or when it is late', () =>
    withTraffic(stage => {
      const view = stage.view()
      const followed = lookups(stage.traffic, 5_000)
      followed.asked(ask(1, 'refused'), choice)
      followed.failed('ECONNREFUSED')
      followed.asked(ask(2, 'closed'), choice)
      followed.failed()
      followed.asked(ask(3, 'late'), choice)
      stage.clock.tick(3_000)
      followed.asked(ask(4, 'later'), choice)
      stage.clock.tick(2_000)
      assert.deepEqual(brief(view.events()), [
        'refused A ECONNREFUSED 0',
        'closed A none 0',
        'late A ETIMEDOUT 5000',
      ])
    }))

  it('follow none while nobody looks at what leaves, and not more than a thousand at once', () =>
    withTraffic(stage => {
      const followed = lookups(stage.traffic)
      stage.view({ directions: ['incoming'] })
      followed.asked(ask(1, 'unseen'), choice)
      const view = stage.view()
      followed.failed()
      assert.deepEqual(view.events(), [])
      for (let id = 0; id < 1_500; id++) followed.asked(ask(id, 'many'), choice)
      followed.failed()
      assert.equal(view.events().length, 1_000)
    }))
})
