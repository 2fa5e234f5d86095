// What ends an agent in a cluster besides its server's word and the grace time: signals, since nobody holds its standard input there.

/** In the place of the bootstrap's own handlers. */
export function endWhenAsked(end: (code: number, reason: string) => never): void {
  process.removeAllListeners('SIGTERM')
  process.on('SIGTERM', () => end(0, 'asked to end by SIGTERM'))
  process.on('SIGINT', () => undefined)
  process.on('uncaughtException', error => end(1, error.stack ?? error.message))
}
