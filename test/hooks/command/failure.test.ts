// Why a command could not start, told apart although spawn gives the same errno.
import assert from 'node:assert/strict'
import { exitCodeOf, spawnFailure } from '../../../hooks/command/failure.ts'

const failed = (code: string) => Object.assign(new Error(`spawn ${code}`), { code })
const command = { file: 'no-such-program', args: [], environment: {}, cwd: '/' }

describe('spawnFailure()', () => {
  it('says that the program is missing', () => {
    assert.equal(spawnFailure(failed('ENOENT'), command).kind, 'command-not-found')
  })
  it('says that the folder is missing, before anything about the program', () => {
    const failure = spawnFailure(failed('ENOENT'), { ...command, cwd: '/no/such/folder' })
    assert.equal(failure.message, 'Cannot run command in folder "/no/such/folder": no such folder')
  })
  it('says that a file which is there cannot be executed, also when its interpreter is missing', () => {
    const messageOf = (code: string, file: string) => spawnFailure(failed(code), { ...command, file }).message
    const start = 'Cannot run command'
    assert.equal(messageOf('EACCES', '/etc/passwd'), `${start} "/etc/passwd": it is not executable (EACCES)`)
    const interpreter = `${start} "/etc/passwd": the interpreter that it names is not there`
    assert.equal(messageOf('ENOENT', '/etc/passwd'), interpreter)
    assert.equal(messageOf('EACCES', '/etc'), `${start} "/etc": it is a folder`)
    const found = { ...command, file: 'passwd', environment: { PATH: '/usr:/etc' } }
    assert.equal(spawnFailure(failed('ENOENT'), found).kind, 'command-not-executable')
  })
  it('takes a path through a file for a missing folder', () => {
    const failure = spawnFailure(failed('EACCES'), { ...command, cwd: '/etc/passwd/x' })
    assert.equal(failure.kind, 'folder-not-found')
  })
  it('blames itself for anything else', () => {
    assert.equal(spawnFailure(failed('EAGAIN'), command).kind, 'hook-failed')
  })
})

describe('exitCodeOf()', () => {
  it("follows the shell's 127 and 126, and 125 for what is ours", () => {
    const kinds = ['command-not-found', 'command-not-executable', 'folder-not-found', 'hooks-nested'] as const
    assert.deepEqual(kinds.map(exitCodeOf), [127, 126, 125, 125])
  })
})
