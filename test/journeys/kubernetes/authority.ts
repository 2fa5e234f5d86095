// Certificates of a test's own authority, made by openssl in a folder of its own.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type Pair = { cert: string; key: string }
export type Authority = {
  readonly folder: string
  /** PEM of the authority's certificate. */
  readonly ca: string
  /** A certificate for these names ("DNS:x", "IP:1.2.3.4"), valid between two days counted from today; default -1 to 1. */
  issue(subject: { cn: string; names?: readonly string[]; fromDay?: number; toDay?: number }): Pair
  remove(): void
}

const dayMs = 86_400_000
const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] })

export function createAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'standin-authority-'))
  const at = (name: string) => join(folder, name)
  writeFileSync(at('ca.cnf'), configOf(folder))
  writeFileSync(at('index.txt'), '')
  writeFileSync(at('serial'), '01')
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.crt'),
    '-subj',
    '/CN=test-ca',
    '-days',
    '2',
  )
  let issued = 0
  return {
    folder,
    ca: readFileSync(at('ca.crt'), 'utf8'),
    issue({ cn, names = [], fromDay = -1, toDay = 1 }) {
      const name = `c${++issued}`
      writeFileSync(
        at(`${name}.ext`),
        `[ext]\nkeyUsage=digitalSignature\n${names.length > 0 ? `subjectAltName=${names.join(',')}\n` : ''}`,
      )
      openssl(
        'req',
        '-new',
        ...key,
        '-keyout',
        at(`${name}.key`),
        '-out',
        at(`${name}.csr`),
        '-subj',
        `/CN=${cn}`,
      )
      const dates = ['-startdate', opensslTime(fromDay), '-enddate', opensslTime(toDay)]
      const made = ['-in', at(`${name}.csr`), '-out', at(`${name}.crt`), '-notext', '-batch']
      openssl(
        'ca',
        '-config',
        at('ca.cnf'),
        ...made,
        '-extfile',
        at(`${name}.ext`),
        '-extensions',
        'ext',
        ...dates,
      )
      return { cert: readFileSync(at(`${name}.crt`), 'utf8'), key: readFileSync(at(`${name}.key`), 'utf8') }
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}

function opensslTime(day: number): string {
  return `${new Date(Date.now() + day * dayMs).toISOString().replace(/\D/g, '').slice(0, 14)}Z`
}

function configOf(folder: string): string {
  return `[ca]
default_ca=c
[c]
dir=${folder}
database=${folder}/index.txt
new_certs_dir=${folder}
certificate=${folder}/ca.crt
private_key=${folder}/ca.key
default_md=sha256
policy=p
unique_subject=no
serial=${folder}/serial
[p]
commonName=supplied
`
}
