// A laptop of its own for a test: a network namespace with a cable to the cluster's bridge, whose packets a test can drop without a word.
import type { Namespace } from '../../stage/namespace.ts'
import { startNamespace } from '../../stage/namespace.ts'
import { bridge } from '../layout.ts'
import { run } from '../run.ts'

export type Laptop = {
  /** Put before a command, it runs on the laptop. */
  readonly enter: readonly string[]
  /** Drops every packet between laptop and cluster, both ways. */
  drop(): Promise<void>
  restore(): Promise<void>
  end(): Promise<void>
}

let laptops = 0

/** Needs root, and the cluster of test/cluster on this machine. */
export async function startLaptop(): Promise<Laptop> {
  // Other runs of tests may have theirs on this machine.
  const number = (process.pid + laptops++) % 50
  const cable = `laptop${number}`
  const namespace: Namespace = await startNamespace()
  await run('ip', [
    ...['link', 'add', cable, 'type', 'veth'],
    ...['peer', 'name', 'uplink', 'netns', String(namespace.pid)],
  ])
  await run('ip', ['link', 'set', cable, 'master', bridge, 'up'])
  await namespace.run('ip', 'address', 'add', `10.89.0.${200 + number}/24`, 'dev', 'uplink')
  await namespace.run('ip', 'link', 'set', 'uplink', 'up')
  const table = `${cable}-cut`
  const restore = () =>
    run('nft', ['-f', '-'], { input: `table bridge ${table}\ndelete table bridge ${table}\n` }).then(() => {})
  return {
    enter: namespace.enter,
    restore,
    async drop() {
      const hooks = ['input iifname', 'forward iifname', 'output oifname'].map(hook => {
        const [name, match] = hook.split(' ')
        return `chain ${name} { type filter hook ${name} priority 0; ${match} "${cable}" counter drop; }`
      })
      await run('nft', ['-f', '-'], { input: `table bridge ${table} {\n${hooks.join('\n')}\n}\n` })
    },
    async end() {
      await restore()
      // The cable vanishes with the namespace that holds its other end.
      await namespace.end()
    },
  }
}
