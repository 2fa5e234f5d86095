// The demo's stage: a pod with a shop in one network namespace, its twin in another, and callers with addresses of their own in a third.
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { linesOf } from '../stage/lines.ts'
import { connectNamespaces, type Namespace, startNamespace } from '../stage/namespace.ts'
import { type Records, recordsOf } from './records.ts'

export const names = ['anna', 'bela', 'carl', 'dora', 'emil'] as const

export type Call = { item: string; caller: string; label: string; ms: number; wrong?: string }

/** A shop and those who buy there. */
export type Shop = {
  readonly process: ChildProcess
  readonly address: string
  /** Says under which label the requests from here on are counted. */
  label(text: string): void
  /** All requests that were answered, or failed, so far. */
  readonly calls: Records<Call>
  /** Ends the callers when their last requests have been answered. */
  close(): Promise<void>
}

export type Town = {
  readonly pod: Shop
  /** The same shop with as many callers, which standin never touches: what else happens on this machine happens to it too. */
  readonly twin: Shop
  /** Name of one of the pod's callers by its address. */
  nameOf(address: string): string
  end(): Promise<void>
}

export function programOf(name: string): string {
  return resolve('test/demo', name)
}

/** `shop` is the program of both shops. */
export async function buildTown({ shop = programOf('shop.cjs') } = {}): Promise<Town> {
  const pod = await startNamespace()
  const outside = await startNamespace({ beside: pod })
  const twin = await startNamespace({ beside: pod })
  const namespaces = [outside, twin, pod]
  // By it the last look knows them, whatever numbers they have.
  for (const namespace of namespaces) await namespace.run('ip', 'address', 'add', label(), 'dev', 'lo')
  const end = async () => {
    for (const namespace of namespaces) await namespace.end()
  }
  try {
    const shops = [await openShop(shop, pod, outside, 0), await openShop(shop, twin, outside, 1)] as const
    return {
      pod: shops[0],
      twin: shops[1],
      nameOf: address => names[houses(0).indexOf(address)] ?? 'a stranger',
      async end() {
        await Promise.all(shops.map(each => each.close()))
        await end()
      },
    }
  } catch (thrown) {
    await end()
    throw thrown
  }
}

async function openShop(
  program: string,
  inside: Namespace,
  outside: Namespace,
  number: number,
): Promise<Shop> {
  const cable = await connectNamespaces(inside, outside, number)
  const address = cable.first.ipv4
  for (const house of houses(number))
    await outside.run('ip', 'address', 'add', `${house}/24`, 'dev', cable.second.device)
  const shop = inside.spawn(process.execPath, [program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, SHOP_REGION: 'Aachen' },
  })
  await linesOf(shop.stdout).until('the shop listening', line => line === 'listening')
  const doors = names.map((name, index) => `${name}=${houses(number)[index]}`)
  const callers = outside.spawn(process.execPath, [programOf('callers.cjs'), address, ...doors], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  return {
    process: shop,
    address,
    calls: recordsOf<Call>(callers.stdout!),
    label: text => void callers.stdin?.write(`${text}\n`),
    close: () => closed(callers),
  }
}

/** An address that nothing else has (RFC 4193). */
export function label(): string {
  return `fd${randomBytes(15).toString('hex')}`.match(/.{4}/g)!.join(':')
}

/** Addresses of the callers on a cable. */
function houses(number: number): string[] {
  return names.map((_, index) => `10.77.${number}.${11 + index}`)
}

/** A request takes 15 s at most; callers that need longer are ended with their namespace. */
async function closed(callers: ChildProcess): Promise<void> {
  const gone = new Promise(done => callers.once('exit', done))
  callers.stdin?.end()
  // The deadline of a request, and a second.
  await Promise.race([gone, new Promise(done => setTimeout(done, 16_000).unref())])
}
