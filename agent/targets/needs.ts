// Says what a session at a target needs, and how to get what is missing.

import { type CaptureFeature, packetRing, packetSockets } from '../incoming/capture-failure.ts'

export type Need = { what: string; granted: boolean; fix?: string | undefined }

/** Names of errors (EPERM...), absent for what was tried and worked. */
export type Tried = { network?: string | undefined; packets?: string | undefined }

/** The environment is read before a target counts as resolved, so it is always granted here. */
export function decideNeeds(pid: number, { network, packets }: Tried): Need[] {
  return [
    { what: `read the environment of pid ${pid}`, granted: true },
    need(`enter the network namespace of pid ${pid}`, network, 'CAP_SYS_ADMIN'),
    need('capture packets there', packets, 'CAP_NET_RAW', [packetSockets, packetRing]),
  ]
}

function need(
  what: string,
  errno: string | undefined,
  right: string,
  features: readonly CaptureFeature[] = [],
): Need {
  if (errno === undefined) return { what, granted: true }
  if (errno === 'EPERM' || errno === 'EACCES')
    return { what, granted: false, fix: `Run as root, which gives ${right}: "sudo standin ..."` }
  const names = features.map(({ feature, since }) => `${feature} of ${since}`).join(' and ')
  return {
    what,
    granted: false,
    fix: `Use a kernel that ${names === '' ? 'can' : `has ${names}`}: this one answered ${errno}`,
  }
}
