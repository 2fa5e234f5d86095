// Starts and stops the cluster's programs; a file each keeps the process id with its start time, so that a reused id is never taken for ours.
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stateRoot } from './layout.ts'
import { say, until } from './run.ts'

export interface Program {
  name: string
  /** The program and its arguments. */
  command: readonly string[]
  /** Process id of a node's init: the program runs in all of that node's namespaces. */
  inside?: number | undefined
}

const pidFile = (name: string): string => join(stateRoot, 'run', `${name}.pid`)

/** Field 22 of proc_pid_stat(5), in clock ticks since boot; undefined when there is no such process or it is a zombie. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

/** The process id of a program of ours that runs. */
export function runningPid(name: string): number | undefined {
  if (!existsSync(pidFile(name))) return undefined
  const [pid, start] = readFileSync(pidFile(name), 'utf8').split(' ')
  return start !== undefined && startTime(Number(pid)) === start ? Number(pid) : undefined
}

/** Starts a program unless it runs; gives its process id as this machine sees it. The log goes to `log/NAME.log` of the state. */
export async function start(program: Program): Promise<number> {
  const running = runningPid(program.name)
  if (running !== undefined) return running
  const { inside } = program
  const enter =
    inside === undefined ? [] : ['nsenter', '-t', String(inside), '-m', '-n', '-p', '-u', '-i', '--']
  const [file, ...args] = [...enter, ...program.command]
  const log = openSync(join(stateRoot, 'log', `${program.name}.log`), 'a')
  const child = spawn(file!, args, { detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  child.unref()
  // nsenter stays outside as the parent of the program it forked into the process namespace.
  const pid = inside === undefined ? child.pid! : await onlyChild(child.pid!, program.name)
  writeFileSync(pidFile(program.name), `${pid} ${startTime(pid)}`)
  say(`${program.name} started (pid ${pid})`)
  return pid
}

/** The one child of a process that was just started to fork and wait. */
export async function onlyChild(pid: number, name: string): Promise<number> {
  return until(`the process that ${name} forks`, 5000, async () => {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    return children === '' ? undefined : Number(children.split(' ')[0])
  })
}

/** Writes down a process that was started in another way than by `start`. */
export function remember(name: string, pid: number): void {
  writeFileSync(pidFile(name), `${pid} ${startTime(pid)}`)
}

/** Ends a program and waits until it is gone: SIGTERM, and SIGKILL after 6 s. */
export async function stop(name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const pid = runningPid(name)
  if (pid !== undefined) {
    process.kill(pid, signal)
    const gone = async (): Promise<boolean> => runningPid(name) === undefined
    await until(`the end of ${name}`, 6000, gone).catch(async () => {
      process.kill(pid, 'SIGKILL')
      await until(`the end of ${name} after SIGKILL`, 5000, gone)
    })
    say(`${name} stopped`)
  }
  rmSync(pidFile(name), { force: true })
}
