// Every failure that standin can report: one row each, with its code, blame, sentence and fix.

export type Blame = 'user' | 'cluster' | 'standin'

/** `{name}` in a message or fix is replaced by a value; messages follow "Cannot <verb> <object>: <state>" (STYLE). */
export type Row = {
  readonly code: number
  readonly blame: Blame
  readonly retryable: boolean
  readonly message: string
  readonly fix: string
}

/** Codes below -32000 are those of JSON-RPC 2.0 and LSP 3.17; the others are ours, 1000 and up, never reused. */
// biome-ignore format: a table is read row by row
export const errorTable = {
  'parse-failed': { code: -32700, blame: 'user', retryable: false, message: 'Cannot read message: {reason}', fix: 'Send JSON-RPC 2.0 as the Language Server Protocol does: a Content-Length header within the limit, an empty line, the JSON' },
  'request-invalid': { code: -32600, blame: 'user', retryable: false, message: 'Cannot accept request: {reason}', fix: 'Follow the life cycle initialize, initialized, requests, shutdown, exit' },
  'method-unknown': { code: -32601, blame: 'user', retryable: false, message: 'Cannot answer method "{method}": no such method{suggestion}', fix: 'Use one of the methods of schemas/rpc.json' },
  'params-invalid': { code: -32602, blame: 'user', retryable: false, message: 'Cannot use params of "{method}": {faults}', fix: 'Send params that fit schemas/rpc.json' },
  internal: { code: -32603, blame: 'standin', retryable: false, message: 'Cannot finish "{what}": an error of standin itself', fix: "Report it with the server's log (standin serve --log-file FILE --log-level debug)" },
  'not-initialized': { code: -32002, blame: 'user', retryable: true, message: 'Cannot answer "{method}": initialize has not been answered', fix: 'Send initialize first' },
  cancelled: { code: -32800, blame: 'user', retryable: true, message: 'Cannot finish "{what}": cancelled by the client', fix: 'Send the request again' },
  'token-wrong': { code: 1001, blame: 'user', retryable: false, message: 'Cannot accept connection: the token is missing or wrong', fix: 'Send the token that the server printed, or STANDIN_TOKEN, as "token" of initialize' },
  'usage-wrong': { code: 1002, blame: 'user', retryable: false, message: 'Cannot run this command line: {reason}', fix: 'See "{help}"' },
  'target-invalid': { code: 1101, blame: 'user', retryable: false, message: 'Cannot read target "{target}": {reason}', fix: 'Write it as "standin ls" does, as in "deployment/NAME", "pod/NAME/container/NAME" or "process/PID"' },
  'target-not-found': { code: 1102, blame: 'user', retryable: false, message: 'Cannot find target "{target}": {reason}', fix: 'Pick one that "standin ls" lists' },
  'target-ambiguous': { code: 1103, blame: 'user', retryable: false, message: 'Cannot choose target "{target}": {count} containers have that name ({names})', fix: 'Name one by its id, "container/ID", or by its process, "process/PID"' },
  'target-unreadable': { code: 1104, blame: 'user', retryable: false, message: 'Cannot read target "{target}": no right to look into pid {pid} of user {owner}', fix: 'Run as that user, or as root: "sudo standin ..."; as root in a container, start that with "--cap-add SYS_PTRACE"' },
  'target-ended': { code: 1105, blame: 'user', retryable: true, message: 'Cannot attach to target "{target}": its process ended', fix: 'Start it again, then start the session again' },
  'runtime-failed': { code: 1106, blame: 'user', retryable: true, message: 'Cannot ask container runtime "{runtime}": {reason}', fix: 'Check that "{command}" works in this terminal' },
  'config-invalid': { code: 1201, blame: 'user', retryable: false, message: 'Cannot use configuration "{file}": {faults}', fix: 'Correct the keys that are named' },
  'config-unreadable': { code: 1202, blame: 'user', retryable: false, message: 'Cannot read configuration file "{file}": {reason}', fix: 'Check the path, the right to read it, and that it is JSON' },
  'session-not-found': { code: 1301, blame: 'user', retryable: false, message: 'Cannot find session "{sessionId}": no session has that id', fix: 'Ask listSessions for the ids' },
  'session-not-running': { code: 1302, blame: 'user', retryable: true, message: 'Cannot use session "{sessionId}": it is {state}', fix: 'Wait for session/status "running", or start another session' },
  'process-not-found': { code: 1401, blame: 'user', retryable: false, message: 'Cannot find process "{processId}": it has ended or was never started', fix: 'Use an id that launch or prepareLaunch answered and that has not exited' },
  'stdin-closed': { code: 1402, blame: 'user', retryable: false, message: 'Cannot write to process "{processId}": its standard input is closed', fix: 'Launch it with "stdin": "pipe" and do not end the input' },
  'signal-unknown': { code: 1403, blame: 'user', retryable: false, message: 'Cannot send signal "{signal}": no signal has that name here', fix: 'Use a name as "kill -l" lists them, such as "SIGTERM"' },
  'command-not-found': { code: 1404, blame: 'user', retryable: false, message: 'Cannot run command "{command}": no such program', fix: 'Check the spelling; a program outside of PATH needs its path' },
  'command-not-executable': { code: 1405, blame: 'user', retryable: false, message: 'Cannot run command "{command}": {reason}', fix: 'Name a program, run "chmod +x" on it, or put its interpreter before it, as in "sh FILE"' },
  'folder-not-found': { code: 1406, blame: 'user', retryable: false, message: 'Cannot run command in folder "{folder}": no such folder', fix: 'Give a folder that exists as "cwd"' },
  'hooks-unavailable': { code: 1501, blame: 'user', retryable: false, message: 'Cannot hook processes on this machine: {reason}', fix: '{fix}' },
  'hooks-nested': { code: 1502, blame: 'user', retryable: false, message: 'Cannot hook a command inside another hooked one: the kernel allows one seccomp listener (EBUSY)', fix: 'Run it outside of "standin exec" and of container runtimes that use seccomp notification' },
  'hook-failed': { code: 1503, blame: 'standin', retryable: true, message: 'Cannot hook command "{command}": {reason}', fix: 'Try again; if it stays, report it with "standin exec -v"' },
  'traffic-not-found': { code: 1601, blame: 'user', retryable: false, message: 'Cannot find traffic view "{trafficId}": it has ended or was never started', fix: 'Start one with streamTraffic' },
  'server-ended': { code: 1701, blame: 'standin', retryable: true, message: 'Cannot finish "{what}": the server of standin ended', fix: 'Try again; if it stays, look at what "-v" shows' },
  'server-silent': { code: 1702, blame: 'standin', retryable: true, message: 'Cannot finish "{what}": the server of standin did not answer within {seconds} s', fix: 'Try again; if it stays, look at what "-v" shows' },
  'agent-failed': { code: 2001, blame: 'standin', retryable: true, message: 'Cannot start agent: {reason}', fix: 'Try again; if it stays, report it with "standin serve --log-level debug"' },
  'kernel-feature-missing': { code: 2002, blame: 'user', retryable: false, message: 'Cannot use kernel feature "{feature}": this Linux {kernel} does not offer it, it came with {since}', fix: 'Run {since} or newer; where it is new enough, leave the sandbox that hides the feature, or take a kernel that is built with it' },
  'right-missing': { code: 2003, blame: 'user', retryable: false, message: 'Cannot {verb} here: {errno}, the right {right} is missing', fix: 'Run as root: "sudo standin ...", or as the user who made the namespace; as root in a container, start that with "--cap-add {right}"' },
  'link-version': { code: 2101, blame: 'standin', retryable: false, message: 'Cannot talk on link: the other end speaks version {theirs}, this one {ours}', fix: 'Install standin again: server and agent come from one package' },
  'link-refused': { code: 2102, blame: 'standin', retryable: false, message: 'Cannot open link: {reason}', fix: 'Start the session again' },
  'link-lost': { code: 2103, blame: 'cluster', retryable: true, message: 'Cannot reach agent: the link was silent or closed for {seconds} s', fix: 'Check the network, then start the session again' },
  'frame-invalid': { code: 2104, blame: 'standin', retryable: false, message: 'Cannot read frame: {reason}', fix: 'Report it with "standin serve --log-level debug"' },
  'frame-too-large': { code: 2105, blame: 'standin', retryable: false, message: 'Cannot send frame: its payload has {bytes} bytes, more than {limit}', fix: 'Report it with what was asked for and "standin serve --log-level debug"' },
  'link-full': { code: 2106, blame: 'cluster', retryable: true, message: 'Cannot send on link: {bytes} bytes wait for the other end to acknowledge them', fix: 'Check the network between this machine and the target, then try again' },
  'stream-ended': { code: 2107, blame: 'standin', retryable: false, message: 'Cannot write to stream {stream} of the link: it was ended', fix: 'Report it with the log of "standin serve --log-level debug"' },
  'target-kind-ambiguous': { code: 1107, blame: 'user', retryable: false, message: 'Cannot choose target "{target}": {count} kinds have that name ({names})', fix: 'Name one of them: {names}' },
  'selector-invalid': { code: 1108, blame: 'user', retryable: false, message: 'Cannot use label selector "{selector}": {reason}', fix: 'Write it as for kubectl -l: "app=shop,tier!=db"' },
  'target-missing': { code: 1109, blame: 'user', retryable: false, message: 'Cannot start session: no target is named', fix: 'Name one with -t ("standin ls" lists them), STANDIN_TARGET, or the key "target" of .standin/standin.json' },
  'kubeconfig-missing': { code: 3001, blame: 'user', retryable: false, message: 'Cannot find a cluster: no kubeconfig ({looked})', fix: 'Give --kubeconfig FILE, set KUBECONFIG, or make ~/.kube/config; "kubectl config view" shows what kubectl sees' },
  'kubeconfig-invalid': { code: 3002, blame: 'user', retryable: false, message: 'Cannot use kubeconfig "{file}": {reason}', fix: 'Correct it; "kubectl --kubeconfig FILE config view" reads it too' },
  'context-not-found': { code: 3003, blame: 'user', retryable: false, message: 'Cannot find context "{context}": {reason}', fix: 'Take one of "kubectl config get-contexts -o name"' },
  'credentials-failed': { code: 3004, blame: 'user', retryable: true, message: 'Cannot get credentials of user "{user}": {reason}', fix: '{fix}' },
  'cluster-refused': { code: 3010, blame: 'cluster', retryable: true, message: 'Cannot reach cluster "{server}": the connection was refused', fix: 'Check that the API server runs and that the address in the kubeconfig is right' },
  'cluster-name-unknown': { code: 3011, blame: 'user', retryable: true, message: 'Cannot reach cluster "{server}": no address is known for its name', fix: 'Check the name in the kubeconfig, and the VPN or DNS of this machine' },
  'cluster-silent': { code: 3012, blame: 'cluster', retryable: true, message: 'Cannot reach cluster "{server}": no answer within {seconds} s', fix: 'Check the network or VPN between this machine and the cluster' },
  'cluster-untrusted': { code: 3013, blame: 'user', retryable: false, message: 'Cannot trust cluster "{server}": {reason}', fix: 'Check certificate-authority and tls-server-name of the kubeconfig, and the clock of this machine' },
  'cluster-certificate-expired': { code: 3014, blame: 'user', retryable: false, message: 'Cannot use certificate for cluster "{server}": {reason}', fix: 'Get fresh credentials (log in to the cluster again), and check the clock of this machine' },
  'cluster-unauthorized': { code: 3015, blame: 'user', retryable: false, message: 'Cannot log in to cluster "{server}" as user "{user}": {reason}', fix: 'Log in to the cluster again, or check the user of the context in the kubeconfig' },
  'cluster-forbidden': { code: 3016, blame: 'user', retryable: false, message: 'Cannot {verb} {resource} {where}: 403, the permission is missing', fix: 'Ask for the Role of README "Permissions": verb "{verb}" on "{resource}" {where}' },
  'cluster-failed': { code: 3017, blame: 'cluster', retryable: true, message: 'Cannot {verb} {resource} {where}: the cluster answered {status} ({reason})', fix: 'Try again; if it stays, ask whoever runs the cluster' },
  'cluster-proxy-failed': { code: 3018, blame: 'user', retryable: true, message: 'Cannot reach cluster "{server}" through proxy "{proxy}": {reason}', fix: 'Check proxy-url of the kubeconfig, HTTPS_PROXY and NO_PROXY' },
  'cluster-unreachable': { code: 3019, blame: 'cluster', retryable: true, message: 'Cannot reach cluster "{server}": {reason}', fix: 'Check the address of the server in the kubeconfig, and the network or VPN of this machine' },
  'namespace-not-found': { code: 3101, blame: 'user', retryable: false, message: 'Cannot find namespace "{namespace}": the cluster has none of that name', fix: 'Take one of "kubectl get namespaces"; -n names it' },
  'container-not-found': { code: 3102, blame: 'user', retryable: false, message: 'Cannot find container "{container}": {pod} has {names}', fix: 'Take one of {names}' },
  'pod-not-ready': { code: 3103, blame: 'cluster', retryable: true, message: 'Cannot attach to target "{target}": {reason}', fix: 'Look at "kubectl describe {object} -n {namespace}", and try again when a pod runs' },
  'pod-unsupported': { code: 3104, blame: 'user', retryable: false, message: 'Cannot attach to pod "{pod}": {reason}', fix: '{fix}' },
  'pod-ended': { code: 3105, blame: 'cluster', retryable: true, message: 'Cannot attach to pod "{pod}": it {what} meanwhile', fix: 'Start the session again; another pod of the target is taken then' },
  'agent-refused': { code: 3201, blame: 'cluster', retryable: false, message: 'Cannot create agent in namespace "{namespace}": {reason}', fix: '{fix}' },
  'agent-not-scheduled': { code: 3202, blame: 'cluster', retryable: true, message: 'Cannot start agent on node "{node}": {reason}', fix: '{fix}' },
  'agent-image-failed': { code: 3203, blame: 'user', retryable: true, message: 'Cannot pull image "{image}" of the agent: {reason}', fix: 'Set agent.image to an image with Node.js that the nodes can pull, and agent.image_pull_secrets if its registry asks for a login' },
  'agent-crashed': { code: 3204, blame: 'standin', retryable: true, message: 'Cannot run agent: its container ended with {how}', fix: 'Check that agent.image has Node.js 20 or newer; what it said last: {log}' },
  'agent-slow': { code: 3205, blame: 'cluster', retryable: true, message: 'Cannot start agent within {seconds} s: {reason}', fix: 'Raise agent.startup_timeout, or mend the cause' },
  'agent-denied': { code: 3206, blame: 'cluster', retryable: false, message: 'Cannot look into pod "{pod}" from its node: {reason}', fix: '{fix}' },
  'agent-undeliverable': { code: 3207, blame: 'standin', retryable: true, message: 'Cannot deliver agent: {reason}', fix: '{fix}' },
  'agent-removed': { code: 3208, blame: 'cluster', retryable: true, message: 'Cannot start agent: {what} was deleted meanwhile', fix: 'Start the session again; if it stays, find out what deletes Jobs in namespace "{namespace}"' },
  'channel-failed': { code: 3301, blame: 'cluster', retryable: true, message: 'Cannot {verb} pod "{pod}": {reason}', fix: 'Check that the pod runs, and try again' },
} as const satisfies Record<string, Row>
