// What is known of one cluster and one user before anything is asked.
import type { ClusterEntry, UserEntry } from './kubeconfig-file.ts'

/** One cluster as one user, ready to be asked. */
export type Access = {
  context: string | undefined
  namespace: string
  clusterName: string
  cluster: ClusterEntry & { server: string }
  userName: string
  user: UserEntry
}
