// standin explain: where a connection would go, by the configuration of this folder.
import { isUnixName } from '../../protocol/address.ts'
import { Failure } from '../../protocol/errors.ts'
import { explainConnect } from '../../protocol/rpc/explain.ts'
import { ask } from './client.ts'
import { absolute } from './session-options.ts'

export type ExplainOptions = { configFile?: string; output: 'text' | 'json'; verbose?: boolean }
type Destination = { host: string; port?: number; protocol?: 'tcp' | 'udp' }

export async function explain(text: string, options: ExplainOptions): Promise<number> {
  const destination = destinationOf(text)
  const { configFile, output, verbose = false } = options
  const json = output === 'json'
  const folder = process.cwd()
  return ask({ what: 'explain', verbose, json }, async (connection, signal) => {
    const params = {
      ...destination,
      folder,
      ...(configFile ? { configFile: absolute(configFile, folder) } : {}),
    }
    const explained = await connection.request(explainConnect, params, { signal })
    const lines = (explained.addresses ?? []).map(
      ({ address, where, rule }) => `  ${address}: ${where}, ${rule}\n`,
    )
    process.stdout.write(json ? `${JSON.stringify(explained)}\n` : `${explained.sentence}\n${lines.join('')}`)
    return 0
  })
}

/** `[tcp://|udp://]HOST:PORT`, an IPv6 address in brackets; or a Unix socket. */
export function destinationOf(text: string): Destination {
  if (isUnixName(text)) return { host: text }
  const parts = /^(?:(tcp|udp):\/\/)?(?:\[([^[\]]+)\]|([^[\]:/]+)):(\d{1,5})$/i.exec(text)
  const port = Number(parts?.[4])
  if (parts === null || port < 1 || port > 65_535) {
    const reason = `"${text.slice(0, 80)}" is no destination; write HOST:PORT or udp://HOST:PORT, with a port from 1 to 65535 and an IPv6 address in brackets, or the absolute path or @NAME of a Unix socket`
    throw new Failure('usage-wrong', { reason, help: 'standin help explain' })
  }
  const [, scheme, six, plain] = parts
  return { host: (six ?? plain)!, port, protocol: scheme?.toLowerCase() === 'udp' ? 'udp' : 'tcp' }
}
