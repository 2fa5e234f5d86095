// Asks PostgreSQL by the package pg: five clients of a pool at once, a big answer, an error of the server; or prints what went wrong.
import pg from 'pg'

const [host, port, limit] = process.argv.slice(2)
const where = {
  host,
  port: Number(port),
  user: 'shop',
  database: 'shop',
  connectionTimeoutMillis: Number(limit),
}
const pool = new pg.Pool({ ...where, max: 5 })
pool.on('error', error => console.log('pool', error.code))
try {
  const sums = await Promise.all([1, 2, 3, 4, 5].map(n => pool.query('select $1::int + 41 as sum', [n])))
  console.log(sums.map(({ rows }) => rows[0].sum).join(' '))
  const { rows } = await pool.query("select repeat('x', 1000) as text from generate_series(1, 1000)")
  console.log(rows.length, new Set(rows.map(({ text }) => text)).size)
  await pool.query('select nothing').catch(error => console.log(error.code, error.message))
} catch (error) {
  for (const each of error.errors ?? [error]) console.log(each.code, each.syscall, each.message)
  process.exitCode = 1
}
await pool.end()
