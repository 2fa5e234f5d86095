// Text in aligned columns, cut at the terminal's width.

/** The rows with each column as wide as its widest cell; `columns` cuts each line, undefined leaves it whole. */
export function table(rows: readonly (readonly string[])[], columns?: number): string {
  const widths: number[] = []
  for (const row of rows)
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, printable(cell).length)
    })
  const lines = rows.map(row => row.map((cell, at) => printable(cell).padEnd(widths[at]!)).join('  '))
  return lines.map(line => `${cut(line.trimEnd(), columns)}\n`).join('')
}

/** The text without control characters: names, paths and headers come from strangers and must not steer the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be replaced
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, '?')
}

/** The text cut to so many characters, the last one an ellipsis if something is missing. */
export function cut(text: string, columns?: number): string {
  if (columns === undefined || columns < 2 || text.length <= columns) return text
  return `${text.slice(0, columns - 1)}…`
}
