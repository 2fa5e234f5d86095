// Job control in a real shell on a real terminal: Ctrl-C, Ctrl-Z, fg, bg and Ctrl-\ act on a hooked command as on any other.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compile, programs } from '../../stage/compile-programs.ts'
import { HookHarness } from '../../stage/hook-harness.ts'
import type { HookedCommand } from '../../stage/hooked-command.ts'
import { inAccept, stateOf, untilState } from '../../stage/process-state.ts'

const caller = { address: '10.9.8.7', port: 4321 }

/** Who leads the shell's job: the supervisor itself, or a client that started it and waits for it, as standin exec does. */
const leaders = [
  ['the supervisor leads the job', (line: string) => line],
  ['a client leads the job', (line: string) => `sh -c '${line}; exit $?'`],
] as const

describe('a hooked command in a terminal', () => {
  let harness: HookHarness
  let port = 9800
  beforeEach(async () => {
    harness = await HookHarness.open()
    port++
  })
  afterEach(async () => {
    assert.deepEqual(await harness.close(), [], 'processes that "end" did not end')
  })

  /** Types the command into an interactive bash. */
  async function typed(command: readonly string[], how: (line: string) => string): Promise<HookedCommand> {
    const terminal = (argv: readonly string[]) => [
      '/usr/bin/python3',
      join(programs, '../stage/terminal.py'),
      how(argv.join(' ')),
      'bash',
      '--norc',
      '--noediting',
      '-i',
    ]
    return harness.start(command, { ports: [port], wrap: terminal })
  }
  const press = (hooked: HookedCommand, keys: string) => hooked.supervisor.stdin!.write(keys)
  async function serves(hooked: HookedCommand, id: string): Promise<void> {
    const listener = hooked.messages.all.find(message => message.type === 'listening')!
    assert.ok(listener.type === 'listening')
    assert.equal(
      await hooked.deliver(listener, { caller, pod: { address: '10.1.2.3', port } }, id),
      `ok ${id}`,
    )
  }

  for (const [who, how] of leaders) {
    for (const [key, name, code] of [
      ['\x03', 'Ctrl-C', 130],
      ['\x1c', 'Ctrl-\\', 131],
    ] as const)
      it(`${name} ends it while it waits in accept, when ${who}`, async () => {
        const hooked = await typed([compile('accept.c', 'c'), String(port)], how)
        await hooked.listening(port)
        await untilState('accept', () => inAccept(hooked.pid))
        press(hooked, key)
        assert.equal((await hooked.next('exit')).signal, code === 130 ? 'SIGINT' : 'SIGQUIT')
        await hooked.next('done')
      })

    it(`Ctrl-Z stops it while it waits in accept, and fg and bg continue it, when ${who}`, async () => {
      const hooked = await typed([compile('accept.c', 'c'), String(port)], how)
      await hooked.listening(port)
      for (const verb of ['fg', 'bg'] as const) {
        await untilState('accept', () => inAccept(hooked.pid) && stateOf(hooked.pid) === 'S')
        press(hooked, '\x1a')
        await untilState('state T', () => stateOf(hooked.pid) === 'T')
        press(hooked, `echo status=$?; ${verb}\n`)
        await hooked.output.until('the status of a stopped job', line => line.includes('status=148'))
        await untilState('state S', () => stateOf(hooked.pid) === 'S')
        await serves(hooked, verb)
      }
      press(hooked, 'fg\n')
      await untilState('the foreground', () => inForeground(hooked.pid))
      press(hooked, '\x03')
      assert.equal((await hooked.next('exit')).signal, 'SIGINT')
    })

    it(`it is in the terminal's foreground and reads what is typed, when ${who}`, async () => {
      const hooked = await typed(['cat'], how)
      await untilState('the foreground', () => inForeground(hooked.pid))
      press(hooked, 'hello\n')
      await hooked.output.untilCount('what was typed and its echo', 2, line => line.includes('hello'))
      press(hooked, '\x04')
      assert.equal((await hooked.next('exit')).code, 0)
    })
  }
})

/** Whether a process is in its terminal's foreground group: pgrp and tpgid of proc(5)'s stat. */
function inForeground(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[2] === fields[5]
}
