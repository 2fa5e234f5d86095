// The description of a target, as describeTarget answers it.
import type * as t from 'io-ts'
import type { describeTarget } from '../../../protocol/rpc/targets.ts'

export type Description = t.TypeOf<(typeof describeTarget)['result']>
