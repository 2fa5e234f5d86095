// Options that several commands share, declared once: which cluster, which target, what agent, and what form the output has.
import { Option } from 'commander'

/** As kubectl calls them. */
export function clusterOptions(): Option[] {
  return [
    new Option('--context <name>', 'context of the kubeconfig; default the current one').env(
      'STANDIN_CONTEXT',
    ),
    new Option(
      '--kubeconfig <file>',
      'kubeconfig file; default KUBECONFIG, else ~/.kube/config, else in-cluster',
    ).env('STANDIN_KUBECONFIG'),
  ].map(option => option.helpGroup('Cluster:'))
}

export function namespaceOption(of: string): Option {
  return new Option('-n, --namespace <name>', `namespace ${of}; default the context's`)
    .env('STANDIN_NAMESPACE')
    .helpGroup('Cluster:')
}

export function configFileOption(): Option {
  return new Option(
    '-f, --config-file <file>',
    'configuration file; options win over its keys; default .standin/standin.json of this folder',
  ).env('STANDIN_CONFIG_FILE')
}

function targetOption(): Option {
  return new Option(
    '-t, --target <target>',
    'deployment/NAME, pod/NAME/container/NAME, process/PID...; "standin ls" lists them; "targetless" is the network of the namespace alone; default the one of the configuration',
  ).env('STANDIN_TARGET')
}

/** Everything that a session may be told on the command line; the rest is in the configuration file. */
export function sessionOptions(): Option[] {
  const agent = [
    new Option('-i, --agent-image <image>', 'image with Node.js for the agent; default node:22-slim').env(
      'STANDIN_AGENT_IMAGE',
    ),
    new Option('-a, --agent-namespace <name>', "namespace of the agent's Job; default the target's").env(
      'STANDIN_AGENT_NAMESPACE',
    ),
    new Option('--agent-startup-timeout <seconds>', 'how long starting may take; default 60').env(
      'STANDIN_AGENT_STARTUP_TIMEOUT',
    ),
    new Option(
      '-e, --ephemeral',
      'an ephemeral container in the pod instead of a Job, where hostPID is forbidden',
    ),
  ].map(option => option.helpGroup('Agent in a cluster:'))
  // What users of mirrord type.
  const aliases = [
    new Option('--target-namespace <name>', 'the same as --namespace'),
    new Option('--ephemeral-container', 'the same as --ephemeral'),
  ].map(option => option.hideHelp())
  return [
    targetOption(),
    configFileOption(),
    namespaceOption('of the target'),
    ...clusterOptions(),
    ...agent,
    ...aliases,
  ]
}

/** `forms`: the first is the default. */
export function outputOption(summary: string, forms: readonly string[]): Option {
  return new Option('--output <form>', summary).choices(forms).default(forms[0])
}

export const verboseOption = () =>
  new Option('-v, --verbose', 'show the log of the server, and details of errors')
export const quietOption = () => new Option('-q, --quiet', 'tell errors only')

export function append(value: string, before: string[] = []): string[] {
  return [...before, value]
}

/** The end of a help page. */
export function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map(line => `  ${line}\n`).join('')}`
}
