// Which UDP sockets a command inherits: descriptors of this process that its children get too (fcntl(2), FD_CLOEXEC).
import { readdirSync } from 'node:fs'
import { declare } from './libc.ts'
import { datagramFamily } from './sockets.ts'

const F_GETFD = 1
const FD_CLOEXEC = 1
const standardError = 2
const fcntl = declare<[number, number, number]>('int fcntl(int, int, long)')

/** Standard input, output and error are copied for the command, whatever their flags here. */
export const inheritedDatagramSockets = (): number[] =>
  readdirSync('/proc/self/fd')
    .map(Number)
    .filter(descriptor => datagramFamily(descriptor) !== undefined && isInherited(descriptor))

function isInherited(descriptor: number): boolean {
  return descriptor <= standardError || (fcntl(descriptor, F_GETFD, 0) & FD_CLOEXEC) === 0
}
