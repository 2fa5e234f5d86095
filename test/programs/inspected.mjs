// A Node program that goes on until it is ended; node --inspect is given to it on the command line.
import { writeSync } from 'node:fs'

setInterval(() => {}, 1000)
writeSync(1, 'running\n')
