// What a supervisor says to the guard, which answers in its place when it cannot.
import * as t from 'io-ts'
import { count, object } from '../codec.ts'

/**
 * The guard: one process a server, started as `guard` with `{token}` as one JSON line on its standard input, which stays open while the server
 * lives; prints `{"listening": NAME}`. A supervisor connects to NAME, sends `{token, process, pid, outgoing, datagrams, unix}` as one JSON line together with duplicates
 * of its notification descriptor and of the memory that lists the calls which it has not answered (SCM_RIGHTS), and keeps the socket open.
 * If the supervisor dies, the guard answers in its place; if the server is gone as well, the guard ends the hooked processes and says so in
 * one line on standard error. A supervisor whose server is gone ends them itself, and sends `{pid, command}` for the guard to say it.
 */
export const guardRegistration = object(
  'GuardRegistration',
  {
    token: [t.string, 'secret of the guard'],
    process: [t.string, 'processId, from which the mark of its processes is made'],
    pid: [count, 'of the supervisor'],
    outgoing: [
      t.boolean,
      "whether connections leave from the pod: without the supervisor they are refused with ENETUNREACH then, where they may be the pod's",
    ],
    datagrams: [t.boolean, 'whether datagrams do: the same of what they are sent by'],
  },
  { unix: [t.array(t.string), 'as in OutgoingRules: what matches is refused too'] },
)

export const guardEnding = object('GuardEnding', {
  pid: [count, 'of the command'],
  command: [t.string, 'its command line'],
})
