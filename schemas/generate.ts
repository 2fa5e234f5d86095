// Writes every generated file into the checkout; `npm run generate` after a change of protocol/.
import { writeFileSync } from 'node:fs'
import { generatedFiles } from './generated.ts'

for (const [path, text] of Object.entries(generatedFiles())) {
  writeFileSync(path, text)
  console.log(`wrote ${path}`)
}
