// Completion scripts, made from the command tree so that they can't fall behind it; targets come from `standin ls`.
import type { Command, Option } from 'commander'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

export function isShell(text: string): text is Shell {
  return (shells as readonly string[]).includes(text)
}

export function completionScript(program: Command, shell: Shell): string {
  return { bash, zsh, fish }[shell](program)
}

const targetsCommand = 'standin ls --output names 2>/dev/null'

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
  return `# bash completion of standin; load it with: source <(standin completion bash)
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
    -t|--target) COMPREPLY=( $(compgen -W "$(${targetsCommand})" -- "$word") ); return ;;
    -f|--config-file|--log-file) COMPREPLY=( $(compgen -f -- "$word") ); return ;;
  esac
  case "$command $before" in
${choiceCases}
    "completion completion") words="${shells.join(' ')}"; flags=no ;;
    "help help") words="${commands.join(' ')}"; flags=no ;;
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
    const rest = { exec: `'*::command:_normal'`, completion: `'1:shell:(${shells.join(' ')})'` }[
      command.name()
    ]
    const all = [...specs, ...(rest === undefined ? [] : [rest])]
    return `    ${command.name()}) _arguments -S ${all.join(' ')} ;;`
  })
  return `#compdef standin
# zsh completion of standin; save it as _standin in a folder of $fpath
_standin_targets() {
  local -a targets
  targets=(\${(f)"$(${targetsCommand})"})
  compadd -a targets
}
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
  const lines = ['# fish completion of standin', 'complete -c standin -f']
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
    'complete -c standin -n "__fish_seen_subcommand_from exec; and contains -- -- (commandline -opc)" -a "(__fish_complete_subcommand --fcs-skip=3)"',
  )
  return `${lines.join('\n')}\n`
}

function fishValues(option: Option): string {
  if (option.long === '--target') return ` -x -a '(${targetsCommand})'`
  if (takesFile(option)) return ' -r -F'
  return option.argChoices === undefined ? ' -x' : ` -x -a '${option.argChoices.join(' ')}'`
}

function zshSpecs(option: Option): string[] {
  const value = !option.required
    ? ''
    : option.long === '--target'
      ? ':target:_standin_targets'
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
  return option.long === '--config-file' || option.long === '--log-file'
}

function zshText(text: string): string {
  return text.replace(/'/g, "'\\''").replace(/[[\]:]/g, '\\$&')
}

function fishText(text: string): string {
  return text.replace(/['\\]/g, '\\$&')
}
