// Runs a command in a network namespace of its own with loopback up and no route out, so that no test call can leave the machine.
import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { dirname } from 'node:path'

const [command, ...args] = process.argv.slice(2)
if (command === undefined)
  throw new Error('Cannot run nothing: usage is "tsx test/isolated.ts COMMAND [ARG...]"')
const asRoot = process.getuid?.() === 0
/** Folders above the checkout that only root may enter, the outermost first: journeys of ordinary users need it too. */
const closed = asRoot ? above(process.cwd()).filter(folder => (statSync(folder).mode & 0o001) === 0) : []
const flags = asRoot
  ? ['--net', ...(closed.length > 0 ? ['--mount'] : [])]
  : ['--net', '--user', '--map-root-user']

function above(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [] : [...above(parent), parent]
}

/** In a mount namespace of its own each such folder gives way to one that all may enter, with the same things in it. */
const open = `open() {
  kept=$(mktemp -d) && mount --rbind "$1" "$kept" && mount -t tmpfs -o mode=755 tmpfs "$1" || return
  for old in "$kept"/* "$kept"/.[!.]*; do
    new=$1/\${old##*/}
    if [ -L "$old" ]; then cp -P "$old" "$new"
    elif [ -d "$old" ]; then mkdir "$new" && mount --rbind "$old" "$new"
    elif [ -e "$old" ]; then : >"$new" && mount --bind "$old" "$new"
    fi || return
  done
  umount -l "$kept" && rmdir "$kept"
}
for _ in ${closed.map(() => 'x').join(' ')}; do open "$1" || exit; shift; done
cd "$PWD" && ip link set lo up && exec "$@"`
const child = spawn('unshare', [...flags, '--', 'sh', '-c', open, 'sh', ...closed, command, ...args], {
  stdio: 'inherit',
  env: { ...process.env, PATH: `node_modules/.bin:${process.env.PATH}` },
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)))
