// Finds containers with all runtimes of this machine at once, and chooses the one that a name means.
import { Failure } from '../../protocol/errors.ts'
import { readProcesses } from '../linux/proc.ts'
import { listByCgroup } from './runtimes/by-cgroup.ts'
import { type Answered, type Container, distinct, failed, isIdPrefix } from './runtimes/container.ts'
import { findInContainerd, listInContainerd } from './runtimes/containerd.ts'
import { dockerLike, findInDocker, listInDocker } from './runtimes/docker.ts'
import { type Run, run as runCommand } from './runtimes/run.ts'

/** The one running container with that name or id. Throws `target-not-found`, `-ambiguous`, `-ended` or `runtime-failed`. */
export async function findContainer(name: string, run: Run = runCommand): Promise<Container> {
  const told = await ask([
    ...dockerLike.map(runtime => findInDocker(runtime, name, run)),
    findInContainerd(name, run),
  ])
  const byCgroup = listByCgroup(readProcesses()).filter(({ id }) => isIdPrefix(name, id))
  return choose(name, { ...told, containers: merge(told.containers, byCgroup) })
}

/** The running containers. */
export async function listContainers(
  run: Run = runCommand,
): Promise<Pick<Answered, 'containers' | 'failures'>> {
  const { containers, failures } = await ask([
    ...dockerLike.map(runtime => listInDocker(runtime, run)),
    listInContainerd(run),
  ])
  const running = containers.filter(({ pid }) => pid > 0)
  return { containers: merge(running, listByCgroup(readProcesses())), failures }
}

/** A container that does not run never hides one that does, and a runtime that does not work never hides another's answer. */
export function choose(name: string, { containers, failures, answered }: Answered): Container {
  const target = `container/${name}`
  const running = containers.filter(({ pid }) => pid > 0)
  const [only] = running
  if (running.length > 1) {
    const names = running
      .map(({ id, pid, runtime }) => `${runtime ?? 'container'} ${id.slice(0, 12)}, pid ${pid}`)
      .join('; ')
    throw new Failure('target-ambiguous', { target, count: running.length, names })
  }
  if (only !== undefined) return only
  if (containers.length > 0)
    throw new Failure('target-ended', { target }, { detail: 'the container does not run' })
  const [failure] = failures
  if (failure !== undefined && !answered) throw failure
  const reason = 'no runtime here has a container with that name or id'
  const detail = failures.map(({ message }) => message).join('; ')
  throw new Failure('target-not-found', { target, reason }, detail === '' ? {} : { detail })
}

/** Cgroups tell again, without its name, what a runtime told. */
function merge(told: readonly Container[], byCgroup: readonly Container[]): Container[] {
  const ids = new Set(told.filter(({ pid }) => pid > 0).map(({ id }) => id))
  return distinct([...told, ...byCgroup.filter(({ id }) => !ids.has(id))])
}

async function ask(questions: Promise<Answered>[]): Promise<Answered> {
  const answers = await Promise.all(questions.map(question => question.catch(failed)))
  return {
    containers: answers.flatMap(({ containers }) => containers),
    failures: answers.flatMap(({ failures }) => failures),
    answered: answers.some(({ answered }) => answered),
  }
}
