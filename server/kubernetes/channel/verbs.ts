// The permissions that channels need, as RBAC names them.

/**
 * On pods/portforward, both. The API server authorises the HTTP method of the upgrade, and that of a WebSocket is GET: up to 1.34 "get" is
 * all that it asks, and "create" without it is refused. From 1.35 on it asks for "create" as well (kubernetes/kubernetes pull request 134577,
 * feature gate AuthorizePodWebsocketUpgradeCreatePermission, on by default).
 */
export const portForwardVerbs = ['get', 'create'] as const

/** On pods/exec, for the same reason. */
export const execVerbs = ['get', 'create'] as const

/** On pods/log. */
export const logVerbs = ['get'] as const
