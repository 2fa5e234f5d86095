// standin describe: one target, what a session there needs, and whether the user may.
import { describeTarget } from '../../protocol/rpc/targets.ts'
import { ask } from './client.ts'
import { descriptionText } from './description.ts'
import { type PlaceOptions, questionParams } from './session-options.ts'

export type DescribeOptions = PlaceOptions & { target?: string; output: 'text' | 'json'; verbose?: boolean }

export async function describe(target: string, options: DescribeOptions): Promise<number> {
  const { namespace, output, verbose = false } = options
  const json = output === 'json'
  return ask({ what: 'describe', verbose, json }, async (connection, signal) => {
    const params = {
      target,
      ...questionParams(options, process.cwd()),
      ...(namespace ? { namespace } : {}),
    }
    const description = await connection.request(describeTarget, params, { signal })
    process.stdout.write(json ? `${JSON.stringify(description)}\n` : descriptionText(description))
    return 0
  })
}
