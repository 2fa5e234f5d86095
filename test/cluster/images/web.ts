// What the shop's front has beside its configuration: a certificate of its own and a git repository, made on this machine.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../run.ts'
import type { Layer } from './layers.ts'

const names = ['web', 'web.shop', 'web.shop.svc', 'web.shop.svc.cluster.local']

/** Signed by itself, so that whoever trusts this one file trusts it by each of its service's names. */
export const certificate: Layer = {
  name: 'certificate',
  stamp: ['1', ...names],
  async fill(root) {
    const folder = join(root, 'etc/nginx')
    mkdirSync(folder, { recursive: true })
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3650', '-subj', '/CN=web']
    const alternatives = `subjectAltName=${names.map(name => `DNS:${name}`).join(',')}`
    const files = ['-keyout', join(folder, 'web.key'), '-out', join(folder, 'web.crt')]
    await run('openssl', [...request, '-addext', alternatives, ...files])
  },
}

const recipe = 'Bread: flour, water, salt, time.\n'

/** One commit, as files that any web server can serve: git's "dumb" protocol. */
export const repository: Layer = {
  name: 'repository',
  stamp: ['1', recipe],
  async fill(root) {
    const work = mkdtempSync(join(tmpdir(), 'standin-recipes-'))
    const who = { NAME: 'Shop', EMAIL: 'shop@example.com', DATE: '2026-01-01T00:00:00Z' }
    const identity = Object.fromEntries(
      Object.entries(who).flatMap(([what, value]) => [
        [`GIT_AUTHOR_${what}`, value],
        [`GIT_COMMITTER_${what}`, value],
      ]),
    )
    // No setting of whoever runs this, such as signed commits, has a say.
    const env = { ...identity, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
    const git = (...args: string[]): Promise<string> => run('git', args, { cwd: work, env })
    try {
      await git('init', '--quiet', '--initial-branch=main')
      writeFileSync(join(work, 'bread.txt'), recipe)
      await git('add', 'bread.txt')
      await git('commit', '--quiet', '--message=Bread')
      mkdirSync(join(root, 'srv'), { recursive: true })
      const bare = join(root, 'srv/recipes.git')
      await git('clone', '--quiet', '--bare', work, bare)
      await git('--git-dir', bare, 'update-server-info')
    } finally {
      rmSync(work, { recursive: true, force: true })
    }
  },
}
