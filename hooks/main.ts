// Program "hook", the supervisor: runs one command under the hooks for a server, or with --probe says whether this machine can.
import { probe } from './probe.ts'
import { supervise } from './supervise.ts'

const [first, ...rest] = process.argv.slice(2)
if (first === '--probe') probe()
else supervise(first === '--' ? rest : process.argv.slice(2))
