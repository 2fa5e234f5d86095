// The processes of a pod of the test cluster, as this machine sees them: its nodes are namespaces here.
import { readdirSync, readFileSync } from 'node:fs'

/** Ids, on this machine, of the pod's processes whose command line matches; newest last. Source of the path: kubelet's cgroupfs driver. */
export function processesOfPod(uid: string, matches: RegExp): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        if (!readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`pod${uid}`)) return false
        return matches.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '))
      } catch {
        return false // it has just ended
      }
    })
    .map(Number)
    .sort((one, other) => one - other)
}
