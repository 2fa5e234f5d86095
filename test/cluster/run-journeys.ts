// The command "npm run test:cluster [-- FILE...]": the journeys on a cluster.
import { onCluster } from './on-cluster.ts'

const given = process.argv.slice(2)
const files = given.length > 0 ? given : ['test/cluster/**/*.test.ts']

process.exitCode = await onCluster(({ ours, run }) => {
  const breaking = ours ? [] : ['--ignore', 'test/cluster/**/*outage*.test.ts']
  return run(['node_modules/.bin/mocha', '--config', 'test/cluster/.mocharc.json', ...breaking, ...files])
})
