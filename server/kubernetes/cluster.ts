// Which cluster a request means, as the editor or the configuration names it.

export type ClusterChoice = {
  /** Path of a kubeconfig; default KUBECONFIG, ~/.kube/config, in-cluster. */
  kubeconfig?: string | undefined
  context?: string | undefined
  /** Default the context's. */
  namespace?: string | undefined
}
