// Asks plain containerd through its `ctr`, in all of its namespaces; names given by nerdctl and Kubernetes are labels there.
import { existsSync } from 'node:fs'
import { type Answered, type Container, failed, isIdPrefix, notHere } from './container.ts'
import { type Run, refusal } from './run.ts'

type Task = { id: string; pid: number; running: boolean }

const nameLabels = ['nerdctl/name', 'io.kubernetes.container.name'] as const
/** Names are asked for one container at a time, so on a node with more of them the rest go by id. */
const namedTasks = 64

/** The containers with this id, part of an id, or name. */
export async function findInContainerd(name: string, run: Run): Promise<Answered> {
  return await inNamespaces(run, async (namespace, tasks) => {
    const byId = tasks.filter(({ id }) => id === name || isIdPrefix(name, id))
    if (byId.length > 0) return byId.map(task => container(task, task.id))
    const labelled = new Set<string>()
    for (const label of nameLabels) {
      const filter = `labels."${label}"==${name}`
      const ids = await answer(run, ['ctr', '-n', namespace, 'containers', 'ls', '-q', filter])
      for (const id of ids.split('\n')) labelled.add(id)
    }
    return tasks.filter(({ id }) => labelled.has(id)).map(task => container(task, name))
  })
}

/** The running containers; pods' own "pause" containers are left out. */
export async function listInContainerd(run: Run): Promise<Answered> {
  return await inNamespaces(run, async (namespace, tasks) => {
    const running = tasks.filter(task => task.running)
    const containers: Container[] = running.slice(namedTasks).map(task => container(task, task.id))
    for (const task of running.slice(0, namedTasks)) {
      const labels = parseLabels(await answer(run, ['ctr', '-n', namespace, 'containers', 'info', task.id]))
      if (labels['io.cri-containerd.kind'] === 'sandbox') continue
      containers.push(container(task, labels[nameLabels[0]] ?? labels[nameLabels[1]] ?? task.id))
    }
    return containers
  })
}

async function inNamespaces(
  run: Run,
  look: (namespace: string, tasks: Task[]) => Promise<Container[]>,
): Promise<Answered> {
  const containers: Container[] = []
  try {
    const namespaces = isThere() ? await run(['ctr', 'namespaces', 'ls', '-q']) : 'missing'
    if (namespaces === 'missing') return notHere
    if (namespaces.code !== 0) throw refusal(['ctr', 'namespaces', 'ls', '-q'], namespaces)
    for (const namespace of namespaces.stdout.split('\n').filter(line => line !== '')) {
      const tasks = parseTasks(await answer(run, ['ctr', '-n', namespace, 'tasks', 'ls']))
      if (tasks.length > 0) containers.push(...(await look(namespace, tasks)))
    }
    return { containers, failures: [], answered: true }
  } catch (error) {
    return failed(error as Error)
  }
}

/** Without its socket `ctr` would wait 10 s for a containerd that does not run. */
function isThere(): boolean {
  return existsSync(process.env.CONTAINERD_ADDRESS ?? '/run/containerd/containerd.sock')
}

/** What the command printed; throws `runtime-failed`. */
async function answer(run: Run, command: readonly [string, ...string[]]): Promise<string> {
  const ran = await run(command)
  if (ran === 'missing') return ''
  if (ran.code !== 0) throw refusal(command, ran)
  return ran.stdout
}

function container({ id, pid, running }: Task, name: string): Container {
  return { id, name, runtime: 'containerd', pid: running ? pid : 0 }
}

/** The table `TASK PID STATUS`. */
export function parseTasks(stdout: string): Task[] {
  return stdout
    .split('\n')
    .slice(1)
    .map(line => line.trim().split(/\s+/))
    .filter(columns => columns.length >= 3)
    .map(([id = '', pid, status]) => ({ id, pid: Number(pid), running: status === 'RUNNING' }))
}

/** The labels of `containers info`; none when the answer can't be read, for then the id is still a name. */
export function parseLabels(stdout: string): Readonly<Record<string, string>> {
  try {
    return (JSON.parse(stdout) as { Labels?: Record<string, string> | null }).Labels ?? {}
  } catch {
    return {}
  }
}
