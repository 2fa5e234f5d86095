// A program outside of any hooked tree that holds a port.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { programs } from './compile-programs.ts'
import { linesOf } from './lines.ts'

export type Holder = { readonly pid: number; release(): Promise<void> }

/** `shared`: by SO_REUSEPORT. */
export async function holdPort(port: number, address = '0.0.0.0', { shared = false } = {}): Promise<Holder> {
  const args = [`${programs}/serve.py`, String(port), address, ...(shared ? ['shared'] : [])]
  const child: ChildProcess = spawn('/usr/bin/python3', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  await linesOf(child.stdout).until(`the holder of port ${port}`, line => line.startsWith('ready'))
  return {
    pid: child.pid!,
    async release() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
