// Completion scripts, made from the command tree so that they can't fall behind it; targets, contexts and namespaces come from standin itself.
import type { Command, Option } from 'commander'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

export function isShell(text: string): text is Shell {
  return (shells as readonly string[]).includes(text)
}

export function completionScript(program: Command, shell: Shell): string {
  return { bash, zsh, fish }[shell](program)
}

/** Values that only a cluster or a kubeconfig knows, by the command that lists them. */
const listed: Readonly<Record<string, string>> = {
  '--target': 'ls',
  '--context': 'contexts',
  '--namespace': 'namespaces',
  '--agent-namespace': 'namespaces',
}
/** What of the line is passed on to that command, with its value, so that it asks the same cluster. */
const passedOn = {
  ls: ['-n', '--namespace', '--context', '--kubeconfig'],
  contexts: ['--kubeconfig'],
  namespaces: ['--context', '--kubeconfig'],
} as const
const filesOf = ['--config-file', '--log-file', '--kubeconfig']
/** Commands whose first word is a target. */
const takesTarget = 'describe'

function bash(program: Command): string {
  const commands = commandNames(program)
  const flagCases = program.commands
    .map(command => `    ${command.name()}) words="${allFlags(command).join(' ')}" ;;`)
    .join('\n')
  const choiceCases = choices(program)
    .map(([command, flags, words]) =>
      flags.map(flag => `    "${command} ${flag}") words="${words.join(' ')}"; flags=no ;;`).join('\n'),
    )
    .join('\n')
  const listedCases = listedOptions(program).map(
    ([from, flags]) =>
      `    ${flags.join('|')}) COMPREPLY=( $(compgen -W "$(_standin_list ${from})" -- "$word") ); return ;;`,
  )
  const files = optionsNamed(program, filesOf).flatMap(flags)
  return `# bash completion of standin; load it with: source <(standin completion bash)
_standin_list() {
  local at pass=()
  for (( at = 2; at < COMP_CWORD; at++ )); do
    case "$1 \${COMP_WORDS[at]}" in
      ${passedPatterns('"', '"|"')}) pass+=( "\${COMP_WORDS[at]}" "\${COMP_WORDS[at+1]}" ) ;;
    esac
  done
  standin "$1" "\${pass[@]}" --output names 2>/dev/null
}
_standin() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} words="" flags=yes at
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=( $(compgen -W "${commands.join(' ')} --version --help" -- "$word") )
    return
  fi
  for (( at = 2; at < COMP_CWORD; at++ )); do
    if [ "\${COMP_WORDS[at]}" = -- ]; then
      # The command is completed as if it had been typed alone.
      declare -F _command_offset >/dev/null && _command_offset $((at + 1)) || COMPREPLY=( $(compgen -c -f -- "$word") )
      return
    fi
  done
  case "$before" in
${listedCases.join('\n')}
    ${[...new Set(files)].join('|')}) COMPREPLY=( $(compgen -f -- "$word") ); return ;;
  esac
  case "$command $before" in
${choiceCases}
    "completion completion") words="${shells.join(' ')}"; flags=no ;;
    "help help") words="${commands.join(' ')}"; flags=no ;;
    "${takesTarget} ${takesTarget}") [[ $word != -* ]] && words="$(_standin_list ls)" && flags=no ;;
  esac
  [ $flags = yes ] && case "$command" in
${flagCases}
  esac
  COMPREPLY=( $(compgen -W "$words" -- "$word") )
}
complete -F _standin standin
`
}

function zsh(program: Command): string {
  const summaries = program.commands.map(
    command => `    '${command.name()}:${zshText(command.description())}'`,
  )
  const cases = program.commands.map(command => {
    const specs = options(command).flatMap(option => zshSpecs(option))
    const rest = {
      exec: `'*::command:_normal'`,
      completion: `'1:shell:(${shells.join(' ')})'`,
      [takesTarget]: `'1:target:_standin_ls'`,
    }[command.name()]
    const all = [...specs, ...(rest === undefined ? [] : [rest])]
    return `    ${command.name()}) _arguments -S ${all.join(' ')} ;;`
  })
  return `#compdef standin
# zsh completion of standin; save it as _standin in a folder of $fpath
_standin_list() {
  local at
  local -a pass found
  for (( at = 1; at < CURRENT; at++ )); do
    case "$1 $words[at]" in
      (${passedPatterns('"', '"|"')}) pass+=("$words[at]" "$words[at+1]") ;;
    esac
  done
  found=(\${(f)"$(standin $1 $pass --output names 2>/dev/null)"})
  compadd -a found
}
${Object.keys(passedOn)
  .map(from => `_standin_${from}() { _standin_list ${from} }`)
  .join('\n')}
_standin() {
  local -a commands
  commands=(
${summaries.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=\${words[2]}
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
    help) _describe command commands ;;
  esac
}
if [ "$funcstack[1]" = _standin ]; then _standin "$@"; else compdef _standin standin; fi
`
}

function fish(program: Command): string {
  const names = commandNames(program).join(' ')
  const lines = ['# fish completion of standin', ...fishList, 'complete -c standin -f']
  for (const command of program.commands)
    lines.push(
      `complete -c standin -n "not __fish_seen_subcommand_from ${names}" -a ${command.name()} -d '${fishText(command.description())}'`,
    )
  for (const command of program.commands)
    for (const option of options(command)) {
      const short = option.short === undefined ? '' : ` -s ${option.short.slice(1)}`
      const long = option.long === undefined ? '' : ` -l ${option.long.slice(2)}`
      const values = option.required ? fishValues(option) : ''
      lines.push(
        `complete -c standin -n "__fish_seen_subcommand_from ${command.name()}"${short}${long}${values} -d '${fishText(option.description)}'`,
      )
    }
  lines.push(
    `complete -c standin -n "__fish_seen_subcommand_from completion" -a '${shells.join(' ')}'`,
    `complete -c standin -n "__fish_seen_subcommand_from help" -a '${names}'`,
    `complete -c standin -n "__fish_seen_subcommand_from ${takesTarget}" -a '(_standin_list ls)'`,
    'complete -c standin -n "__fish_seen_subcommand_from exec; and contains -- -- (commandline -opc)" -a "(__fish_complete_subcommand --fcs-skip=3)"',
  )
  return `${lines.join('\n')}\n`
}

const fishList = [
  'function _standin_list',
  '  set -l line (commandline -opc)',
  '  set -l pass',
  '  for at in (seq (count $line))',
  '    switch "$argv[1] $line[$at]"',
  `      case ${passedPatterns("'", "' '")}`,
  '        set -a pass $line[$at] $line[(math $at + 1)]',
  '    end',
  '  end',
  '  standin $argv[1] $pass --output names 2>/dev/null',
  'end',
]

function fishValues(option: Option): string {
  if (option.long! in listed) return ` -x -a '(_standin_list ${listed[option.long!]})'`
  if (takesFile(option)) return ' -r -F'
  return option.argChoices === undefined ? ' -x' : ` -x -a '${option.argChoices.join(' ')}'`
}

function zshSpecs(option: Option): string[] {
  const value = !option.required
    ? ''
    : option.long! in listed
      ? `:name:_standin_${listed[option.long!]}`
      : takesFile(option)
        ? ':file:_files'
        : `:value:${option.argChoices === undefined ? '' : `(${option.argChoices.join(' ')})`}`
  return flags(option).map(flag => `'${flag}[${zshText(option.description)}]${value}'`)
}

function commandNames(program: Command): string[] {
  return [...program.commands.map(command => command.name()), 'help']
}

function options(command: Command): Option[] {
  return command.options.filter(option => !option.hidden)
}

function flags(option: Option): string[] {
  return [option.short, option.long].filter(flag => flag !== undefined)
}

function allFlags(command: Command): string[] {
  return [...options(command).flatMap(flags), '--help']
}

function choices(program: Command): [command: string, flags: string[], words: readonly string[]][] {
  return program.commands.flatMap(command =>
    options(command).flatMap(option =>
      option.argChoices === undefined
        ? []
        : [[command.name(), flags(option), option.argChoices] as [string, string[], readonly string[]]],
    ),
  )
}

function takesFile(option: Option): boolean {
  return filesOf.includes(option.long ?? '')
}

function optionsNamed(program: Command, names: readonly string[]): Option[] {
  return program.commands.flatMap(options).filter(({ long }) => names.includes(long ?? ''))
}

/** The commands that list values, each with the flags whose values it lists. */
function listedOptions(program: Command): [from: string, flags: string[]][] {
  return Object.keys(passedOn).map(from => {
    const names = Object.keys(listed).filter(name => listed[name] === from)
    return [from, [...new Set(optionsNamed(program, names).flatMap(flags))]]
  })
}

/** Shell patterns of `COMMAND FLAG` for each flag that is passed on. */
function passedPatterns(quote: string, between: string): string {
  const all = Object.entries(passedOn).flatMap(([from, passed]) => passed.map(flag => `${from} ${flag}`))
  return `${quote}${all.join(between)}${quote}`
}

function zshText(text: string): string {
  return text.replace(/'/g, "'\\''").replace(/[[\]:]/g, '\\$&')
}

function fishText(text: string): string {
  return text.replace(/['\\]/g, '\\$&')
}
