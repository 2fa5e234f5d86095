// How the server starts the agent program on this machine, and the lines that it prints.
//
//   agent list [--kinds process,container] [--name TEXT]     prints TargetLine objects, one JSON a line, and ends
//   agent resolve TARGET                                     prints one ResolvedLine (or FailureLine) and ends
//   agent describe TARGET                                    prints one DescriptionLine (or FailureLine) and ends
//   agent attach TARGET --pid N --start-time T --session ID --key BASE64 --grace-ms N
//       prints one ListeningLine (or FailureLine), then serves the link; ends when its standard input ends, at SIGTERM, or when no link
//       was there for the grace time; it ignores SIGINT. When the target ends it stays, for what was captured may still be on its way.
//       --key is the server's Ed25519 public key, SPKI DER.
//   agent attach-pod ID --pod NAME [--pod-uid UID] --session ID --key BASE64 --grace-ms N [--ephemeral]
//       in a cluster, started by the bootstrap (protocol/agent/delivery.ts): finds the first process of the container with this id on the
//       node (or, ephemeral, in the pod), enters it as attach does, and serves the link on the bootstrap's listener. Ends when asked to, at
//       SIGTERM, or when no link was there for the grace time. By the UID it tells a container that ended from a pod of another node.
//   agent attach-own --session ID --key BASE64 --grace-ms N
//       in a cluster, started by the bootstrap for a session without a target: stays in its own container, needs no right and no native
//       code, and otherwise serves and ends as attach-pod does.
//   agent probe PID                                          prints one ProbeLine (or FailureLine) and ends; describe runs it in the
//                                                            target's user namespace
//
// Standard output holds these lines and nothing else; logs go to standard error. Exit code 0: done, or ended as asked; 1: a FailureLine
// was printed, or the agent itself failed (then standard error says why).
import * as t from 'io-ts'
import { count, object } from '../codec.ts'
import { describeTarget, target } from '../rpc/targets.ts'

export const targetLine = object(
  'TargetLine',
  {},
  { target: [target, 'a target'], warning: [t.string, 'what could not be looked at'] },
)

export const resolvedLine = object('ResolvedLine', {
  target: [target, 'the target'],
  pid: [count, 'its first process'],
  startTime: [t.string, 'field 22 of /proc/PID/stat, which tells a reused pid'],
  enter: [
    t.array(t.string),
    "command to put before the agent so that it runs in the target's user namespace; empty if it is the same",
  ],
})

export const descriptionLine = object('DescriptionLine', {
  description: [describeTarget.result, 'the answer to describeTarget'],
})

export const listeningLine = object('ListeningLine', {
  listening: [t.string, 'name of an abstract Unix socket, without the leading NUL'],
})

export const failureLine = object('FailureLine', {
  failure: [
    object(
      'PrintedFailure',
      {
        kind: [t.string, 'a kind of protocol/errors.ts'],
        values: [t.record(t.string, t.union([t.string, t.number])), 'values of its text'],
      },
      { detail: [t.string, 'what helps to find the cause'] },
    ),
    'why not',
  ],
})

export const probeLine = object(
  'ProbeLine',
  { hostname: [t.string, "host name in the process's UTS namespace"] },
  {
    network: [t.string, 'name of the error of entering its network namespace; nothing when that works'],
    packets: [t.string, 'name of the error of opening a capture there; nothing when that works'],
  },
)
