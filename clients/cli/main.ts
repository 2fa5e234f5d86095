// The program standin: `serve` becomes the server at once, everything else is the terminal client.
import { createRequire } from 'node:module'
import { programPath } from '../../protocol/programs.ts'

const args = process.argv.slice(2)
const wantsHelp = args.includes('--help') || args.includes('-h')

if (args[0] === 'serve' && !wantsHelp) {
  // The server is a program of its own, so that an editor's server loads no word of the terminal client.
  const path = programPath('server')
  createRequire(path)(path)
} else {
  void import('./program.ts').then(async ({ runProgram }) => process.exit(await runProgram(args)))
}
