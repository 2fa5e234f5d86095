// Runs the test scripts one after the other, shows their output and which tests needed a second try, and closes with the line that counts all of them: "N passed, N failed".
import { spawn } from 'node:child_process'

const scripts = ['build', 'test:unit', 'test:journeys', 'test:cluster']

async function run(script: string): Promise<{ output: string; code: number }> {
  const child = spawn('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    process.stdout.write(text)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ output, code: code ?? (signal === null ? 1 : 128) }))
  })
}

/** The sum of mocha's closing lines, such as "  12 passing (3s)". */
function counted(output: string, word: 'passing' | 'failing'): number {
  return [...output.matchAll(new RegExp(`^ *(\\d+) ${word}\\b`, 'gm'))].reduce(
    (sum, match) => sum + Number(match[1]),
    0,
  )
}

let passed = 0
let failed = 0
const again: string[] = []
for (const script of scripts) {
  const { output, code } = await run(script)
  const failing = counted(output, 'failing')
  passed += counted(output, 'passing')
  again.push(...(output.match(/^ *needed a second try .*/gm) ?? []))
  // A script that fails without counting a failure (a crash, a hook that broke) is a failure all the same.
  failed += code !== 0 && failing === 0 ? 1 : failing
  if (code !== 0) console.error(`npm run ${script} ended with code ${code}`)
  if (code !== 0 && script === 'build') break
}
for (const line of again) console.log(line.trim())
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
