// Bundles each program of standin into dist/: one file a process or thread, koffi left outside; and the agent as pods get it. With
// --at-hand, agents for clusters only as far as that takes no waiting.
import { rmSync } from 'node:fs'
import { build } from 'esbuild'
import { buildAgentBundles, buildBootstrap } from './agent-bundles.ts'

/** Output name in dist/ to the file that it starts from; the names are how programs find each other at run time. */
const programs = {
  standin: 'clients/cli/main.ts',
  server: 'server/main.ts',
  agent: 'agent/main.ts',
  'agent-capture': 'agent/incoming/capture-thread.ts',
  hook: 'hooks/main.ts',
  'hook-spawner': 'hooks/spawner-thread.ts',
  'hook-answerer': 'hooks/answerer-thread.ts',
  guard: 'hooks/guard.ts',
  relay: 'hooks/relay.ts',
}

rmSync('dist', { recursive: true, force: true })
await build({
  entryPoints: programs,
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['koffi'],
  sourcemap: 'linked',
  logLevel: 'warning',
  banner: { js: '#!/usr/bin/env node' },
})
await buildBootstrap('dist/agent-bootstrap.cjs')
await buildAgentBundles('dist/agent-bundles', { atHand: process.argv.includes('--at-hand') })
