// The cluster's network on this machine: one bridge with a cable to each node, and a guard that keeps the cluster's addresses off every other interface.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  bridge,
  controlAddress,
  type NodePlace,
  nodeNetwork,
  nodes,
  podNetwork,
  serviceNetwork,
  stateRoot,
} from './layout.ts'
import { run, succeeds, until } from './run.ts'

/** Makes the bridge, the routes to pods and services, and the guard, where they are missing. */
export async function connectMachine(): Promise<void> {
  await ip(['link', 'add', bridge, 'type', 'bridge'], ['link', 'show', bridge])
  await run('ip', ['link', 'set', bridge, 'up'])
  await run('ip', ['addr', 'replace', `${controlAddress}/24`, 'dev', bridge])
  await run('nft', ['-f', '-'], { input: guard })
}

/** After the cables: a route through an address that no interface has yet is refused by the kernel. */
export async function routeToPods(): Promise<void> {
  for (const node of nodes) await run('ip', ['route', 'replace', node.podNetwork, 'via', node.address])
  await run('ip', ['route', 'replace', serviceNetwork, 'via', nodes[0]!.address])
}

// Nodes have no default route and this machine forwards nothing for them; the guard holds even where another program switched forwarding on.
const own = `{ ${podNetwork}, ${nodeNetwork}, ${serviceNetwork} }`
const guard = `
table inet standin-guard
delete table inet standin-guard
table inet standin-guard {
  chain forward {
    type filter hook forward priority -50; policy accept;
    iifname "${bridge}" oifname != "${bridge}" counter reject
    oifname "${bridge}" iifname != "${bridge}" counter drop
  }
  chain output {
    type filter hook output priority -50; policy accept;
    ip daddr ${own} oifname != { "${bridge}", "lo" } counter drop
  }
  chain input {
    type filter hook input priority -50; policy accept;
    ip daddr ${own} iifname != { "${bridge}", "lo" } counter drop
    ip saddr ${own} iifname != { "${bridge}", "lo" } counter drop
  }
}
`

/** Plugs a node in: a cable from the bridge to `uplink` in the network namespace of its init, with an address and routes to the other nodes. */
export async function connectNode(node: NodePlace, init: number): Promise<void> {
  await ip(
    ['link', 'add', node.cable, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', String(init)],
    ['link', 'show', node.cable],
  )
  await run('ip', ['link', 'set', node.cable, 'master', bridge, 'up'])
  const inside = ['-t', String(init), '-n', 'ip']
  await run('nsenter', [...inside, 'addr', 'replace', `${node.address}/24`, 'dev', 'uplink'])
  await run('nsenter', [...inside, 'link', 'set', 'uplink', 'up'])
  for (const other of nodes)
    if (other !== node)
      await run('nsenter', [...inside, 'route', 'replace', other.podNetwork, 'via', other.address])
  // For connections that begin in the node itself: they need a route before kube-proxy's rules change their destination.
  await run('nsenter', [...inside, 'route', 'replace', serviceNetwork, 'via', controlAddress])
  // It routes for its pods, and tells them every time that there is no way out: the kernel says so once a second by default.
  const set = 'cd /proc/sys/net/ipv4 && echo 1 >ip_forward && echo 0 >icmp_ratelimit'
  await run('nsenter', ['-t', String(init), '-n', '-m', '-p', 'sh', '-c', set])
}

/** Takes everything of `connectMachine` away; cables vanish with their node's namespace. */
export async function disconnectMachine(): Promise<void> {
  // A cable may vanish by itself at this moment, with the last process of its node.
  for (const name of [...nodes.map(node => node.cable), bridge])
    await until(`interface ${name} to be gone`, 5000, async () => {
      await succeeds('ip', ['link', 'del', name])
      return !(await succeeds('ip', ['link', 'show', name]))
    })
  await run('nft', ['-f', '-'], { input: 'table inet standin-guard\ndelete table inet standin-guard\n' })
}

async function ip(make: string[], there: string[]): Promise<void> {
  if (!(await succeeds('ip', there))) await run('ip', make)
}

// What kubelets set for the whole machine, whichever namespace they are in.
const settings = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
]
const settingsFile = join(stateRoot, 'run', 'settings-before.json')

/** Writes down the kernel settings that kubelets change, once. */
export function keepSettings(): void {
  if (existsSync(settingsFile)) return
  const values = settings.map(name => [name, readFileSync(`/proc/sys/${name}`, 'utf8')])
  writeFileSync(settingsFile, JSON.stringify(Object.fromEntries(values)))
}

/** Puts back what `keepSettings` wrote down. */
export function restoreSettings(): void {
  if (!existsSync(settingsFile)) return
  for (const [name, value] of Object.entries<string>(JSON.parse(readFileSync(settingsFile, 'utf8'))))
    writeFileSync(`/proc/sys/${name}`, value)
}
