// Commands that run as the pod: started by the server (launch) or by the client itself (prepareLaunch).
import * as t from 'io-ts'
import { count, object, oneOf } from '../codec.ts'
import { notification, request } from './message.ts'
import { sessionId } from './sessions.ts'

export const processId = t.string
const command = t.array(t.string)
const environment = t.record(t.string, t.union([t.string, t.null]))
/** Output is text when it is UTF-8 as a whole, else base64. */
export const encoding = oneOf('utf8', 'base64')

export const launch = request({
  method: 'launch',
  direction: 'clientToServer',
  summary:
    'Runs a command under the hooks; answers when it has started. Output follows as process/output, the end as process/exit.',
  errors: [
    'session-not-found',
    'session-not-running',
    'command-not-found',
    'command-not-executable',
    'folder-not-found',
    'hooks-unavailable',
    'hooks-nested',
    'kernel-feature-missing',
    'hook-failed',
  ],
  params: object(
    'LaunchParams',
    { sessionId: [sessionId, 'the session'], command: [command, 'program and arguments, at least one'] },
    {
      cwd: [t.string, "working folder; default: the server's"],
      environment: [environment, "variables to set, or to remove with null, on top of the pod's"],
      stdin: [oneOf('null', 'pipe'), 'pipe to use writeProcess; default null'],
    },
  ),
  result: object('LaunchResult', {
    processId: [processId, 'names the process in the other messages'],
    pid: [count, 'its process id on this machine'],
  }),
  example: {
    params: { sessionId: 's1', command: ['npm', 'start'], stdin: 'pipe' },
    result: { processId: 'p1', pid: 5120 },
  },
})

export const processOutput = notification({
  method: 'process/output',
  direction: 'serverToClient',
  summary: 'Output of a launched process, in order within one stream.',
  params: object('ProcessOutputParams', {
    processId: [processId, 'the process'],
    stream: [oneOf('stdout', 'stderr'), 'which stream'],
    encoding: [encoding, 'of data'],
    data: [t.string, 'at most 64 KiB of output'],
  }),
  example: { params: { processId: 'p1', stream: 'stdout', encoding: 'utf8', data: 'listening on 8080\n' } },
})

export const processExit = notification({
  method: 'process/exit',
  direction: 'serverToClient',
  summary: 'A process that was launched or prepared has ended; all its output was sent before.',
  params: object(
    'ProcessExitParams',
    { processId: [processId, 'the process'] },
    {
      code: [count, 'exit code, when it exited'],
      signal: [t.string, 'name of the signal, when one ended it'],
      failure: [t.string, 'why, when standin ended it'],
    },
  ),
  example: { params: { processId: 'p1', code: 0 } },
})

export const signalProcess = request({
  method: 'signalProcess',
  direction: 'clientToServer',
  summary: 'Sends a signal to a process.',
  errors: ['process-not-found', 'signal-unknown'],
  params: object('SignalProcessParams', {
    processId: [processId, 'the process'],
    signal: [t.string, 'name, as in "SIGTERM"'],
  }),
  result: t.null,
  example: { params: { processId: 'p1', signal: 'SIGTERM' }, result: null },
})

export const writeProcess = request({
  method: 'writeProcess',
  direction: 'clientToServer',
  summary:
    'Writes to the standard input of a launched process; answers when the pipe has taken it. ' +
    'For a process that does not read, at most 500 writes and 16 MiB wait, and more are refused; cancelling takes back a write whose turn has not come.',
  errors: ['process-not-found', 'stdin-closed', 'stdin-full'],
  params: object(
    'WriteProcessParams',
    { processId: [processId, 'the process'] },
    {
      data: [t.string, 'what to write'],
      encoding: [encoding, 'of data; default utf8'],
      end: [t.boolean, 'close the input afterwards'],
    },
  ),
  result: t.null,
  example: { params: { processId: 'p1', data: 'yes\n' }, result: null },
})

export const prepareLaunch = request({
  method: 'prepareLaunch',
  direction: 'clientToServer',
  summary:
    'How the client runs a command under the hooks itself, in a terminal or a debugger: the argv to start, the environment to start it with, and a folder of shims to put first in PATH. ' +
    'It may be asked as soon as session/status says "starting": the command then waits for the session. Each answer starts one command; process/exit reports its end.',
  errors: [
    'session-not-found',
    'session-not-running',
    'hooks-unavailable',
    'hooks-nested',
    'kernel-feature-missing',
    'hook-failed',
  ],
  params: object(
    'PrepareLaunchParams',
    { sessionId: [sessionId, 'the session'] },
    {
      command: [command, 'program and arguments; without it argv is a prefix to put before a command'],
      shims: [t.array(t.string), 'programs to make shims for; default node, python3, python, java, dlv'],
    },
  ),
  result: object('PrepareLaunchResult', {
    processId: [processId, 'names the process in the other messages'],
    argv: [command, 'what to run'],
    environment: [
      t.record(t.string, t.string),
      "variables to set for argv, on top of the client's own; they hold a secret",
    ],
    shimFolder: [
      t.string,
      'folder whose programs run the real ones under the hooks; removed with the session',
    ],
  }),
  example: {
    params: { sessionId: 's1', command: ['npm', 'start'] },
    result: {
      processId: 'p2',
      argv: ['node', 'hook.cjs', '--', 'npm', 'start'],
      environment: { STANDIN_HOOK_SOCKET: '@standin-0' },
      shimFolder: '/run/user/1000/standin/s1/shims',
    },
  },
})
