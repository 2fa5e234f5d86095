// Takes the test cluster down and undoes what it did to this machine.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { stopControlPlane } from './control-plane.ts'
import { adminKubeconfig, nodes, stateRoot } from './layout.ts'
import { disconnectMachine, restoreSettings } from './network.ts'
import { stopNode } from './node.ts'
import { say } from './run.ts'

export interface DownOptions {
  /** Empties the cluster too; without it the same objects are there at the next start. Certificates stay either way. */
  wipe: boolean
}

/** Ends every program of the cluster, then its cables, routes, guard, cgroups and kernel settings. Says nothing when there is nothing. */
export async function takeDown({ wipe }: DownOptions): Promise<void> {
  // Whoever asked that address now would ask the network outside of this machine. It is written anew at each start.
  rmSync(adminKubeconfig, { force: true })
  await Promise.all(nodes.map(stopNode))
  await stopControlPlane()
  await disconnectMachine()
  restoreSettings()
  if (wipe) {
    for (const name of ['etcd', 'log', ...nodes.map(node => node.name)])
      rmSync(join(stateRoot, name), { recursive: true, force: true })
    say('state wiped')
  }
  rmSync(join(stateRoot, 'run'), { recursive: true, force: true })
}
