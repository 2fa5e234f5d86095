// Refuses a forward whose ends are nothing that could be listened on or reached.
import { Failure } from '../../protocol/errors.ts'
import { forwardFaults } from '../../protocol/forward-faults.ts'
import type { LocalEnd, PodEnd } from '../../protocol/rpc/port-ends.ts'

/** Throws `params-invalid`. */
export function checkForward(ends: { local?: LocalEnd | undefined; remote: PodEnd }): void {
  const faults = forwardFaults(ends).map(({ field, what }) => `${field}: ${what}`)
  if (faults.length > 0)
    throw new Failure('params-invalid', { method: 'forwardPort', faults: faults.join('; ') })
}
