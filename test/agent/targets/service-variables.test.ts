// Which variables of the agent's own container are its namespace's services.
import assert from 'node:assert/strict'
import { serviceVariables } from '../../../agent/targets/service-variables.ts'

/** As a kubelet sets them for a service "shop-web" with the port 8080 named "http". */
const shop = {
  SHOP_WEB_SERVICE_HOST: '10.96.1.2',
  SHOP_WEB_SERVICE_PORT: '8080',
  SHOP_WEB_SERVICE_PORT_HTTP: '8080',
  SHOP_WEB_PORT: 'tcp://10.96.1.2:8080',
  SHOP_WEB_PORT_8080_TCP: 'tcp://10.96.1.2:8080',
  SHOP_WEB_PORT_8080_TCP_PROTO: 'tcp',
  SHOP_WEB_PORT_8080_TCP_PORT: '8080',
  SHOP_WEB_PORT_8080_TCP_ADDR: '10.96.1.2',
}
const image = {
  PATH: '/usr/bin',
  HOME: '/root',
  HOSTNAME: 'standin-agent-x',
  NODE_VERSION: '22.1.0',
  YARN_VERSION: '1.22.22',
  TZ: 'UTC',
}

describe('serviceVariables()', () => {
  it("takes all of each service, and nothing of the image's or of the container's own", () => {
    const api = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' }
    assert.deepEqual(serviceVariables({ ...image, ...shop, ...api }), { ...shop, ...api })
  })
  it('leaves out what only looks like a part of a service', () => {
    const looks = {
      SHOP_WEB_PORT_FOLDER: '/ports',
      SHOP_WEB_PORT_8080_TCP_NAME: 'x',
      SHOP_WEB_SERVICE_HOSTS: 'a,b',
      SHOP_WEB: 'x',
      WEB_SERVICE_HOST: 'without a port',
      NODE_PORT: '3000',
    }
    assert.deepEqual(serviceVariables({ ...shop, ...looks }), shop)
  })
  it('tells a service from another whose name begins with its own', () => {
    const named = { A_SERVICE_HOST: '1', A_SERVICE_PORT: '2', A_B_SERVICE_HOST: '3', A_B_SERVICE_PORT: '4' }
    assert.deepEqual(serviceVariables({ ...named, A_B_PORT: 'x' }), { ...named, A_B_PORT: 'x' })
    assert.deepEqual(serviceVariables({}), {})
  })
})
