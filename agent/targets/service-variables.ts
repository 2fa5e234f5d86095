// Which variables of a container are those that Kubernetes sets for the services of its namespace, and not its image's or its own; pure.

/**
 * For each service with an address: NAME_SERVICE_HOST, NAME_SERVICE_PORT and NAME_SERVICE_PORT_PORTNAME, and in the manner of Docker's links
 * NAME_PORT, NAME_PORT_80_TCP and that with _PROTO, _PORT and _ADDR behind it. Source: kubernetes pkg/kubelet/envvars/envvars.go.
 */
export function serviceVariables(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const services = Object.keys(environment)
    .map(name => /^(.+)_SERVICE_HOST$/.exec(name)?.[1])
    .filter(name => name !== undefined && environment[`${name}_SERVICE_PORT`] !== undefined)
  const isOf = (service: string, name: string) =>
    name.startsWith(`${service}_`) && ofService.test(name.slice(service.length + 1))
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && services.some(service => isOf(service!, entry[0])),
    ),
  )
}

const ofService =
  /^(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/
