// Finds what a misspelt name probably meant.

/** The known name nearest to `name`, as ` (did you mean "x"?)`, or nothing when none is near. */
export function suggestion(name: string, known: readonly string[]): string {
  const short = name.slice(0, 60).toLowerCase()
  const nearest = known
    .map(candidate => ({ candidate, distance: editDistance(short, candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0]
  const near = nearest !== undefined && nearest.distance <= Math.max(2, Math.floor(name.length / 3))
  return near ? ` (did you mean "${nearest.candidate}"?)` : ''
}

/** Levenshtein distance: insertions, deletions and replacements. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[to.length]!
}
