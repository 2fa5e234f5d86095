// Which servers are reached through a proxy, and through which.
import assert from 'node:assert/strict'
import { bypassesProxy } from '../../../../server/kubernetes/client/no-proxy.ts'
import { proxyFor } from '../../../../server/kubernetes/client/proxy.ts'

describe('NO_PROXY', () => {
  const cases: [server: string, noProxy: string, bypassed: boolean][] = [
    ['https://k8s.corp.example', '', false],
    ['https://k8s.corp.example', '*', true],
    ['https://k8s.corp.example', 'corp.example', true],
    ['https://corp.example', 'corp.example', true],
    ['https://corp.example', '.corp.example', false],
    ['https://k8s.corp.example', '.corp.example', true],
    ['https://k8s.corp.example', '*.corp.example', true],
    ['https://notcorp.example', 'corp.example', false],
    ['https://K8S.corp.example', 'other, k8s.CORP.example', true],
    ['https://k8s.corp.example:6443', 'k8s.corp.example:6443', true],
    ['https://k8s.corp.example:6443', 'k8s.corp.example:443', false],
    ['https://k8s.corp.example', 'k8s.corp.example:443', true],
    ['https://10.1.2.3:6443', '10.0.0.0/8', true],
    ['https://11.1.2.3:6443', '10.0.0.0/8', false],
    ['https://10.1.2.3', '10.1.2.3', true],
    ['https://10.1.2.3', '10.1.2.4', false],
    ['https://[fd00::1]:6443', 'fd00::/16', true],
    ['https://[fd00::1]:6443', '[fd00::1]', true],
    ['https://[fd00::1]:6443', '10.0.0.0/8,nonsense/99', false],
    ['https://localhost:6443', '', true],
    ['https://127.0.0.1:6443', '', true],
    ['https://[::1]:6443', '', true],
  ]
  for (const [server, noProxy, bypassed] of cases)
    it(`"${noProxy}" ${bypassed ? 'exempts' : 'does not exempt'} ${server}`, () =>
      assert.equal(bypassesProxy(new URL(server), noProxy), bypassed))
})

describe('the proxy of a cluster', () => {
  const server = new URL('https://k8s.example')
  const hrefOf = (...args: Parameters<typeof proxyFor>) => proxyFor(...args)?.href

  it('is proxy-url of the kubeconfig, whatever NO_PROXY says', () => {
    const env = { HTTPS_PROXY: 'http://other', NO_PROXY: '*' }
    assert.equal(hrefOf(server, 'socks5://proxy:1080', env), 'socks5://proxy:1080')
  })

  it('is HTTPS_PROXY for https and HTTP_PROXY for http, in capitals or not, with or without a scheme', () => {
    assert.equal(hrefOf(server, undefined, { HTTPS_PROXY: 'http://a:3128' }), 'http://a:3128/')
    assert.equal(hrefOf(server, undefined, { https_proxy: 'a:3128' }), 'http://a:3128/')
    assert.equal(hrefOf(server, undefined, { HTTP_PROXY: 'http://a:3128' }), undefined)
    assert.equal(hrefOf(new URL('http://k8s.example'), undefined, { http_proxy: 'http://a' }), 'http://a/')
    assert.equal(hrefOf(server, undefined, { HTTPS_PROXY: 'http://a', no_proxy: '.example' }), undefined)
  })

  it('that is no URL, or of a scheme nobody speaks, is refused without its password', () => {
    const wrong =
      /Cannot reach cluster "https:\/\/k8s\.example" through proxy "ftp:\/\/proxy": it is no URL of http/
    assert.throws(() => proxyFor(server, 'ftp://ada:secret@proxy', {}), wrong)
    assert.throws(() => proxyFor(server, 'http://', {}), /it is no URL/)
  })
})
