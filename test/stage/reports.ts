// Reads the "conn ID ..." lines that the programs of test/programs print for each connection they served.
import { isIPv6 } from 'node:net'
import type { Endpoint } from '../../protocol/codec.ts'
import type { HookedCommand } from './hooked-command.ts'

export type Report = { id: string; accepted: Endpoint | undefined; peer: Endpoint; name: Endpoint }

function endpointOf(address: string, port: string): Endpoint {
  return { address: isIPv6(address) ? compressed(address) : address, port: Number(port) }
}

/** One spelling for an IPv6 address: Java writes every group and a zone, C the shortest. */
function compressed(address: string): string {
  return new URL(`http://[${address.replace(/%.*/, '')}]`).hostname.slice(1, -1)
}

export function parseReport(line: string): Report | undefined {
  const [word, id, ...rest] = line.split(' ')
  if (word !== 'conn' || rest.length !== 6) return undefined
  const [acceptAddress, acceptPort, peerAddress, peerPort, nameAddress, namePort] = rest as [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  return {
    id: id!,
    accepted: acceptAddress === '-' ? undefined : endpointOf(acceptAddress, acceptPort),
    peer: endpointOf(peerAddress, peerPort),
    name: endpointOf(nameAddress, namePort),
  }
}

/** Waits until that many connections were reported; gives the reports by id. */
export function reportOf(hooked: HookedCommand): (count: number) => Promise<Map<string, Report[]>> {
  return async count => {
    await hooked.output.untilCount('connections reported', count, line => line.startsWith('conn '))
    const reports = hooked.output.all.flatMap(line => parseReport(line) ?? [])
    return grouped(reports)
  }
}

function grouped(reports: readonly Report[]): Map<string, Report[]> {
  const groups = new Map<string, Report[]>()
  for (const report of reports) groups.set(report.id, [...(groups.get(report.id) ?? []), report])
  return groups
}
