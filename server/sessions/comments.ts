// Reads JSON that may hold // and /* */ comments, as editors write configuration files.

/** The text with comments blanked out; line and column of everything else stay. Strings are left alone. */
export function blankComments(text: string): string {
  const token = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g
  return text.replace(token, found => (found.startsWith('"') ? found : found.replace(/[^\n]/g, ' ')))
}
