// A program outside of any hooked tree that holds a port.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { programs } from './compile-programs.ts'
import { linesOf } from './lines.ts'

export type Holder = { readonly pid: number; release(): Promise<void> }

export async function holdPort(port: number, address = '0.0.0.0'): Promise<Holder> {
  const child: ChildProcess = spawn('/usr/bin/python3', [`${programs}/serve.py`, String(port), address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
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
