// Makes the cluster's certificates, once for each list of them: valid since 30 days ago and for ten years, so that a clock a day off on either side stays inside.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { apiAddress, apiService, controlAddress, nodes, stateRoot } from './layout.ts'
import { run, say } from './run.ts'

export const keys = join(stateRoot, 'pki')
export const keyFile = (name: string): string => join(keys, name)

interface Certificate {
  name: string
  subject: string
  authority: 'ca' | 'front-proxy-ca'
  use: 'clientAuth' | 'serverAuth'
  names?: string
}

const client = (name: string, subject: string): Certificate => ({
  name,
  subject,
  authority: 'ca',
  use: 'clientAuth',
})

const certificates: readonly Certificate[] = [
  {
    name: 'apiserver',
    subject: '/CN=kube-apiserver',
    authority: 'ca',
    use: 'serverAuth',
    names: `DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,DNS:localhost,IP:127.0.0.1,IP:${controlAddress},IP:${apiService}`,
  },
  client('apiserver-kubelet-client', '/O=system:masters/CN=kube-apiserver-kubelet-client'),
  {
    name: 'front-proxy-client',
    subject: '/CN=front-proxy-client',
    authority: 'front-proxy-ca',
    use: 'clientAuth',
  },
  client('controller-manager', '/CN=system:kube-controller-manager'),
  client('scheduler', '/CN=system:kube-scheduler'),
  client('proxy', '/CN=system:kube-proxy'),
  client('admin', '/O=system:masters/CN=kubernetes-admin'),
  ...nodes.flatMap(({ name, address }): Certificate[] => [
    client(name, `/O=system:nodes/CN=system:node:${name}`),
    {
      name: `${name}-server`,
      subject: `/O=system:nodes/CN=system:node:${name}`,
      authority: 'ca',
      use: 'serverAuth',
      names: `DNS:${name},IP:${address},IP:127.0.0.1`,
    },
  ]),
]

/** Makes all keys, certificates and kubeconfigs unless this very list of them is there; true when it made them, which is when running programs hold older ones. */
export async function makeCertificates(): Promise<boolean> {
  const list = JSON.stringify(certificates)
  const done = keyFile('list.json')
  if (existsSync(done) && readFileSync(done, 'utf8') === list) {
    // The admin's is away while the cluster is down.
    writeKubeconfigs()
    return false
  }
  mkdirSync(join(keys, 'issued'), { recursive: true, mode: 0o700 })
  mkdirSync(join(stateRoot, 'etc'), { recursive: true })
  for (const name of ['ca', 'front-proxy-ca']) await makeAuthority(name)
  await Promise.all(certificates.map(makeCertificate))
  if (!existsSync(keyFile('sa.key'))) await run('openssl', ['genrsa', '-out', keyFile('sa.key'), '2048'])
  await run('openssl', ['rsa', '-in', keyFile('sa.key'), '-pubout', '-out', keyFile('sa.pub')])
  writeKubeconfigs()
  writeFileSync(done, list)
  say('certificates made')
  return true
}

// `openssl x509` cannot set the first day of validity before OpenSSL 3.4; `openssl ca` always could.
function authorityFile(name: string): string {
  const file = keyFile(`${name}.cnf`)
  const folder = join(keys, 'issued')
  writeFileSync(join(folder, `${name}.index`), '')
  const lines = [
    '[ca]',
    'default_ca=this',
    '[this]',
    `database=${folder}/${name}.index`,
    `new_certs_dir=${folder}`,
    'rand_serial=yes',
  ]
  const rest = [
    'default_md=sha256',
    'unique_subject=no',
    'policy=any',
    '[any]',
    'organizationName=optional',
    'commonName=supplied',
  ]
  const itself = [
    '[authority]',
    'basicConstraints=critical,CA:TRUE',
    'keyUsage=critical,keyCertSign,cRLSign,digitalSignature',
    'subjectKeyIdentifier=hash',
  ]
  writeFileSync(file, [...lines, ...rest, ...itself, ''].join('\n'))
  return file
}

const day = 86_400_000
/** YYYYMMDDHHMMSSZ, as `openssl ca` takes it. */
const time = (ms: number): string => `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
const validity = ['-startdate', time(Date.now() - 30 * day), '-enddate', time(Date.now() + 3650 * day)]

async function makeKey(name: string): Promise<void> {
  await run('openssl', [
    'ecparam',
    '-name',
    'prime256v1',
    '-genkey',
    '-noout',
    '-out',
    keyFile(`${name}.key`),
  ])
}

async function makeAuthority(name: string): Promise<void> {
  if (!existsSync(keyFile(`${name}.key`))) await makeKey(name)
  const request = keyFile(`${name}.csr`)
  await run('openssl', [
    'req',
    '-new',
    '-key',
    keyFile(`${name}.key`),
    '-subj',
    `/CN=${name === 'ca' ? 'kubernetes-ca' : name}`,
    '-out',
    request,
  ])
  const self = ['-selfsign', '-keyfile', keyFile(`${name}.key`), '-extensions', 'authority']
  await run('openssl', [
    'ca',
    '-batch',
    '-notext',
    '-config',
    authorityFile(name),
    ...self,
    ...validity,
    '-in',
    request,
    '-out',
    keyFile(`${name}.crt`),
  ])
}

async function makeCertificate({ name, subject, authority, use, names }: Certificate): Promise<void> {
  await makeKey(name)
  const [request, extensions] = [keyFile(`${name}.csr`), keyFile(`${name}.ext`)]
  const alternatives = names === undefined ? [] : [`subjectAltName=${names}`]
  writeFileSync(
    extensions,
    ['keyUsage=critical,digitalSignature', `extendedKeyUsage=${use}`, ...alternatives, ''].join('\n'),
  )
  await run('openssl', ['req', '-new', '-key', keyFile(`${name}.key`), '-subj', subject, '-out', request])
  const by = [
    '-cert',
    keyFile(`${authority}.crt`),
    '-keyfile',
    keyFile(`${authority}.key`),
    '-extfile',
    extensions,
  ]
  // Each with an index of its own: two at once would lose each other's lines.
  const index = keyFile(`issued/${name}.index`)
  writeFileSync(index, '')
  const config = readFileSync(keyFile(`${authority}.cnf`), 'utf8').replace(
    /^database=.*$/m,
    `database=${index}`,
  )
  writeFileSync(keyFile(`${name}.cnf`), config)
  await run('openssl', [
    'ca',
    '-batch',
    '-notext',
    '-config',
    keyFile(`${name}.cnf`),
    ...by,
    ...validity,
    '-in',
    request,
    '-out',
    keyFile(`${name}.crt`),
  ])
}

/** The kubeconfig that a program or person with the certificate `name` uses. */
export const kubeconfigOf = (name: string): string =>
  name === 'admin' ? join(stateRoot, 'admin.kubeconfig') : join(stateRoot, 'etc', `${name}.kubeconfig`)

function writeKubeconfigs(): void {
  const content = (file: string): string => readFileSync(keyFile(file)).toString('base64')
  for (const name of ['admin', 'controller-manager', 'scheduler', 'proxy', ...nodes.map(node => node.name)]) {
    const cluster = { server: apiAddress, 'certificate-authority-data': content('ca.crt') }
    const user = {
      'client-certificate-data': content(`${name}.crt`),
      'client-key-data': content(`${name}.key`),
    }
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'standin', cluster }],
      users: [{ name, user }],
      contexts: [{ name: 'standin', context: { cluster: 'standin', user: name } }],
      'current-context': 'standin',
    }
    writeFileSync(kubeconfigOf(name), `${JSON.stringify(config, null, 1)}\n`, { mode: 0o600 })
  }
}
