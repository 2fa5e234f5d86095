// What looking a name up, and connecting, costs a process of a session, against the same program inside of the pod, interleaved.
import { inPod, inSession } from '../stage/compared.ts'
import { startNamedPod, suffix } from '../stage/named-pod.ts'
import { programOf } from '../stage/pod.ts'
import { type Comparison, compared } from './measure.ts'

const count = '300'
const figures = ['lookupUs', 'connectUs'] as const

export async function benchNames(environment: NodeJS.ProcessEnv, runs: number): Promise<Comparison[]> {
  const reaching = await startNamedPod(environment)
  const command = ['python3', programOf('time-lookups.py'), `web.${suffix}.`, '9000', count]
  const told = ({ lines }: { lines: string[] }): Record<string, number> => JSON.parse(lines[0]!)
  const inside: Record<string, number>[] = []
  const ours: Record<string, number>[] = []
  try {
    for (let run = 0; run < runs; run++) {
      inside.push(told(await inPod(reaching, command)))
      ours.push(told(await inSession(reaching, command)))
    }
  } finally {
    await reaching.end()
  }
  const name = { lookupUs: 'a look-up by getaddrinfo', connectUs: 'a connect and close' }
  return figures.map(figure =>
    compared(
      `${name[figure]}, in a session against inside of the pod`,
      'us',
      inside.map(all => all[figure]!),
      ours.map(all => all[figure]!),
    ),
  )
}
