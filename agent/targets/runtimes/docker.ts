// Asks docker, podman and nerdctl, whose `inspect` and `ps` are alike.
import { type Answered, type Container, failed, notHere } from './container.ts'
import { type Run, refusal, runtimeFailure } from './run.ts'

export const dockerLike = ['docker', 'podman', 'nerdctl'] as const

/** The containers with this name or id, running or not. */
export async function findInDocker(runtime: string, name: string, run: Run): Promise<Answered> {
  return await inspect(runtime, [name], run)
}

/** The running containers. */
export async function listInDocker(runtime: string, run: Run): Promise<Answered> {
  const command = [runtime, 'ps', '-q', '--no-trunc'] as const
  const ran = await run(command)
  if (ran === 'missing') return notHere
  if (ran.code !== 0) return failed(refusal(command, ran))
  const ids = ran.stdout.split('\n').filter(line => line !== '')
  return ids.length === 0 ? { ...notHere, answered: true } : await inspect(runtime, ids, run)
}

/** A container that is gone by the time it is inspected makes the command fail, with the others' answers all the same. */
async function inspect(runtime: string, names: readonly string[], run: Run): Promise<Answered> {
  const command = [runtime, 'inspect', '--type', 'container', ...names] as const
  const ran = await run(command)
  if (ran === 'missing') return notHere
  const absent = /no such (container|object)/i.test(ran.stderr)
  if (ran.code !== 0 && !absent) return failed(refusal(command, ran))
  const containers = parseInspect(ran.stdout, runtime)
  if (containers === undefined) return failed(runtimeFailure(command, 'its answer is not JSON'))
  return { containers, failures: [], answered: true }
}

/** The answer of `inspect`, in the fields that docker, podman and nerdctl share; undefined when it is none. */
export function parseInspect(stdout: string, runtime: string): Container[] | undefined {
  if (stdout.trim() === '') return []
  try {
    const rows: unknown = JSON.parse(stdout)
    return Array.isArray(rows) ? rows.map(row => parseRow(row, runtime)) : undefined
  } catch {
    return undefined
  }
}

type Row = { Id?: string; Name?: string; State?: { Pid?: number; Running?: boolean } }

function parseRow({ Id = '', Name = '', State = {} }: Row, runtime: string): Container {
  // docker writes "/shop", podman and nerdctl "shop".
  return {
    id: Id,
    name: Name.replace(/^\//, ''),
    runtime,
    pid: State.Running === true ? (State.Pid ?? 0) : 0,
  }
}
