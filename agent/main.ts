// The agent program: answers one question about targets, or enters one and serves its link. See protocol/agent/invocation.ts.
import { Failure } from '../protocol/errors.ts'
import { type Invocation, parseInvocation } from './arguments.ts'
import { printFailure, printLine } from './print.ts'
import { listProcesses, listRunningContainers } from './targets/list.ts'
import { resolveTarget } from './targets/resolve.ts'

type ListInvocation = Extract<Invocation, { verb: 'list' }>

async function run(invocation: Invocation): Promise<void> {
  switch (invocation.verb) {
    case 'list':
      return await list(invocation)
    case 'resolve': {
      const { target, scope, startTime, enter } = await resolveTarget(invocation.target)
      return printLine({ target, pid: scope.pid, startTime, enter })
    }
    // What calls into the C library is loaded when it is needed, so that list and resolve start sooner.
    case 'describe': {
      const { describeNamed } = await import('./targets/describe.ts')
      return printLine({ description: await describeNamed(invocation.target) })
    }
    case 'probe': {
      const { probe } = await import('./linux/probe.ts')
      return printLine(probe(invocation.pid))
    }
    case 'attach': {
      const { attach } = await import('./attach.ts')
      return await attach(invocation)
    }
    case 'attach-pod':
    case 'attach-own':
      throw new Failure('usage-wrong', {
        reason: `${invocation.verb} is started by the bootstrap of a container`,
        help: 'protocol/agent/delivery.ts',
      })
  }
}

/** Processes first: the runtimes take longer. */
async function list({ kinds, name }: ListInvocation): Promise<void> {
  const emit: Parameters<typeof listProcesses>[0] = found => {
    if ('warning' in found || found.target.name.includes(name)) printLine(found)
  }
  if (kinds.includes('process')) await listProcesses(emit)
  if (kinds.includes('container')) await listRunningContainers(emit)
}

async function main(): Promise<void> {
  try {
    const invocation = parseInvocation(process.argv.slice(2))
    await run(invocation)
  } catch (error) {
    printFailure(error, 'agent')
    process.exitCode = 1
  }
}

void main()
