// Prints, for each name of the arguments, what node:dns says of it: by getaddrinfo and by its own resolver, each type of record.
import { promises as dns } from 'node:dns'
import { hostname } from 'node:os'

const types = ['A', 'AAAA', 'SRV', 'TXT', 'MX', 'CNAME', 'PTR']
for (const name of process.argv.slice(2)) {
  const looked = await dns.lookup(name, { all: true, order: 'verbatim' }).catch(error => error.code)
  console.log(name, JSON.stringify(looked))
  for (const type of types) {
    const found = await dns.resolve(name, type).catch(error => error.code)
    console.log(name, type, typeof found === 'string' ? found : JSON.stringify(found.flat().sort()))
  }
}
console.log(hostname(), await dns.reverse('10.96.0.20').catch(error => error.code))
