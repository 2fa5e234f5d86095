// The demo's stage: a pod with a shop in one network namespace, and callers with addresses of their own in another.
import type { ChildProcess } from 'node:child_process'
import { resolve } from 'node:path'
import { linesOf } from '../stage/lines.ts'
import { connectNamespaces, type Namespace, startNamespace } from '../stage/namespace.ts'
import { type Records, recordsOf } from './records.ts'

export const names = ['anna', 'bela', 'carl', 'dora', 'emil'] as const

export type Call = { item: string; caller: string; label: string; ms: number; wrong?: string }

export type Town = {
  readonly shop: ChildProcess
  readonly pods: string
  /** Name of a caller by its address. */
  nameOf(address: string): string
  /** Says under which label the requests from here on are counted. */
  label(text: string): void
  /** All requests that were answered, or failed, so far. */
  readonly calls: Records<Call>
  end(): Promise<void>
}

export function programOf(name: string): string {
  return resolve('test/demo', name)
}

export async function buildTown(): Promise<Town> {
  const pod = await startNamespace()
  const outside = await startNamespace({ beside: pod })
  const cable = await connectNamespaces(pod, outside)
  const addresses = await houses(outside, cable.second.device)
  const shop = pod.spawn(process.execPath, [programOf('shop.cjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, SHOP_REGION: 'Aachen' },
  })
  await linesOf(shop.stdout).until('the shop listening', line => line === 'listening')
  const doors = names.map((name, index) => `${name}=${addresses[index]}`)
  const callers = outside.spawn(process.execPath, [programOf('callers.cjs'), cable.first.ipv4, ...doors], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  return {
    shop,
    pods: cable.first.ipv4,
    calls: recordsOf<Call>(callers.stdout!),
    nameOf: address => names[addresses.indexOf(address)] ?? 'a stranger',
    label: text => void callers.stdin?.write(`${text}\n`),
    async end() {
      const gone = new Promise(done => callers.once('exit', done))
      callers.stdin?.end()
      await Promise.race([gone, new Promise(late => setTimeout(late, 6_000).unref())])
      await outside.end()
      await pod.end()
    },
  }
}

async function houses(outside: Namespace, device: string): Promise<string[]> {
  const addresses = names.map((_, index) => `10.77.0.${11 + index}`)
  for (const address of addresses) await outside.run('ip', 'address', 'add', `${address}/24`, 'dev', device)
  return addresses
}
