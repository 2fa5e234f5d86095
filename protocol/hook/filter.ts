// The outgoing filter as server and supervisor say it to each other; what its entries mean is in protocol/outgoing/.
import * as t from 'io-ts'
import { count, object, oneOf } from '../codec.ts'

export const learned = object('LearnedName', {
  name: [t.string, 'name that was looked up'],
  entries: [t.array(count), 'places in the filter, from 0, of the entries that stand for it'],
  addresses: [t.array(t.string), 'IP addresses that it resolved to'],
})

export const filterRules = object('FilterRules', {
  side: [
    oneOf('remote', 'local'),
    'where what matches goes: by the pod, or from this machine; the rest goes the other way',
  ],
  entries: [t.array(t.string), 'as in feature.network.outgoing.filter'],
  learned: [t.array(learned), 'names that were looked up already'],
})
