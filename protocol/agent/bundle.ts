// The agent's code as one file a platform: what schemas/build.ts packs and the agent in the pod unpacks.
//
//   line of JSON   [["agent.cjs", 45012], ["agent-capture.cjs", 11201], ["koffi.node", 207113]]   name and packed length, in order
//   then each file, compressed with brotli
//
// The first file is "agent.cjs", because the bootstrap, which has no room for more, runs the first one.

export const bundleFiles = ['agent.cjs', 'agent-capture.cjs', 'koffi.node'] as const
export type BundleFile = (typeof bundleFiles)[number]

/** `packed` holds the files of `bundleFiles`, compressed. */
export function joinBundle(packed: Readonly<Record<BundleFile, Buffer>>): Buffer {
  const index = bundleFiles.map(name => [name, packed[name].length])
  return Buffer.concat([Buffer.from(`${JSON.stringify(index)}\n`), ...bundleFiles.map(name => packed[name])])
}

/** The files, still compressed. What it reads was proved by a hash, so a fault in it is one of ours. */
export function splitBundle(bundle: Buffer): Record<BundleFile, Buffer> {
  const end = bundle.indexOf(10)
  const index = JSON.parse(bundle.toString('utf8', 0, end)) as [BundleFile, number][]
  let at = end + 1
  const files = index.map(([name, bytes]) => {
    at += bytes
    return [name, bundle.subarray(at - bytes, at)]
  })
  return Object.fromEntries(files) as Record<BundleFile, Buffer>
}
