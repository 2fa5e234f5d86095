// Which of the pod's environment variables the process does not get unless they are asked for by name, and how the documentation says so.

/**
 * Variables that describe the pod's machine, user, terminal or language runtime, and would break a program that runs here. Left out
 * unless `feature.env.include` names one exactly. Patterns, each with why; README, the configuration's schema and `standin help exec` are
 * made of them.
 */
export const excludedVariables: Readonly<Record<string, string>> = {
  PATH: 'folders of programs in the pod',
  HOME: "the pod's user",
  USER: "the pod's user",
  LOGNAME: "the pod's user",
  SHELL: "the pod's user",
  MAIL: "the pod's user",
  PWD: 'working folder in the pod',
  OLDPWD: 'working folder in the pod',
  SHLVL: 'depth of shells in the pod',
  _: 'last program of a shell in the pod',
  TERM: "the pod's terminal",
  COLORTERM: "the pod's terminal",
  COLUMNS: "the pod's terminal",
  LINES: "the pod's terminal",
  LS_COLORS: "the pod's terminal",
  TMPDIR: 'a folder in the pod',
  TMP: 'a folder in the pod',
  TEMP: 'a folder in the pod',
  HOSTNAME: "the pod's host name, which is not this machine's",
  LANG: 'languages that are installed in the pod',
  LANGUAGE: 'languages that are installed in the pod',
  'LC_*': 'languages that are installed in the pod',
  'SSH_*': 'a login on the other machine',
  'XDG_*': 'folders and login of the other machine',
  DISPLAY: 'a screen of the other machine',
  WAYLAND_DISPLAY: 'a screen of the other machine',
  XAUTHORITY: 'a screen of the other machine',
  DBUS_SESSION_BUS_ADDRESS: 'a bus of the other machine',
  EDITOR: "the pod's user",
  VISUAL: "the pod's user",
  PAGER: "the pod's user",
  LD_PRELOAD: 'libraries in the pod: every program here would fail or warn',
  LD_LIBRARY_PATH: 'libraries in the pod',
  LD_AUDIT: 'libraries in the pod',
  'LD_DEBUG*': "the pod's dynamic linker",
  LD_BIND_NOW: "the pod's dynamic linker",
  GLIBC_TUNABLES: "the pod's C library",
  'MALLOC_*': "the pod's C library",
  GCONV_PATH: "the pod's C library",
  LOCPATH: "the pod's C library",
  NODE_OPTIONS: 'Node in the pod: it may name files there',
  NODE_PATH: 'Node in the pod',
  NODE_VERSION: 'Node in the pod',
  NODE_EXTRA_CA_CERTS: 'a file in the pod',
  'NODE_REPL_*': 'Node in the pod',
  YARN_VERSION: 'Node in the pod',
  'NPM_CONFIG_*': 'npm in the pod',
  'npm_*': 'npm in the pod',
  JAVA_HOME: 'Java in the pod',
  JAVA_OPTS: 'Java in the pod',
  JAVA_TOOL_OPTIONS: 'Java in the pod: agents whose files are there',
  _JAVA_OPTIONS: 'Java in the pod',
  JDK_JAVA_OPTIONS: 'Java in the pod',
  CLASSPATH: 'Java libraries in the pod',
  MAVEN_CONFIG: 'Maven in the pod',
  M2_HOME: 'Maven in the pod',
  'PYTHON*': 'Python in the pod: PYTHONPATH and PYTHONHOME name folders there',
  VIRTUAL_ENV: 'Python in the pod',
  'CONDA_*': 'Python in the pod',
  PIP_TARGET: 'Python in the pod',
  GOPATH: 'Go in the pod',
  GOROOT: 'Go in the pod',
  GOCACHE: 'Go in the pod',
  'PERL5*': 'Perl in the pod',
  PERLLIB: 'Perl in the pod',
  'RUBY*': 'Ruby in the pod',
  'GEM_*': 'Ruby in the pod',
  'BUNDLE_*': 'Ruby in the pod',
  'PHP_INI_*': 'PHP in the pod',
  'CARGO_*': 'Rust in the pod',
  'RUSTUP_*': 'Rust in the pod',
  'DOTNET_ROOT*': '.NET in the pod',
  DOTNET_STARTUP_HOOKS: '.NET in the pod',
  DOTNET_VERSION: '.NET in the pod',
  SSL_CERT_FILE: 'a file in the pod',
  SSL_CERT_DIR: 'a folder in the pod',
  BASH_ENV: 'a start file of a shell in the pod',
  IFS: 'a shell in the pod',
  'PS?': 'a shell in the pod',
  INIT_CWD: 'a folder in the pod',
  'STANDIN_*': 'standin itself',
}

/** All of them, in one line. */
export const excludedNames = Object.keys(excludedVariables).join(', ')

/** Markdown: one row a reason. */
export function excludedTable(): string {
  const names = new Map<string, string[]>()
  for (const [name, why] of Object.entries(excludedVariables))
    names.set(why, [...(names.get(why) ?? []), `\`${name}\``])
  const rows = [...names].map(([why, ofIt]) => `| ${ofIt.join(', ')} | ${why} |`)
  return ['| left out | because it is about |', '|---|---|', ...rows].join('\n')
}
