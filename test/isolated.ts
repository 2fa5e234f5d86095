// Runs a command in a network namespace of its own with loopback up and no route out, so that no test call can leave the machine.
import { spawn } from 'node:child_process'

const [command, ...args] = process.argv.slice(2)
if (command === undefined)
  throw new Error('Cannot run nothing: usage is "tsx test/isolated.ts COMMAND [ARG...]"')
const asRoot = process.getuid?.() === 0
const flags = asRoot ? ['--net'] : ['--net', '--user', '--map-root-user']
const child = spawn(
  'unshare',
  [...flags, '--', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', command, ...args],
  {
    stdio: 'inherit',
    env: { ...process.env, PATH: `node_modules/.bin:${process.env.PATH}` },
  },
)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)))
