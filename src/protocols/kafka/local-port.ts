/** The port on which a broker is served: stable over restarts, for clients remember it. */
const LARGEST_PORT = 65_535;

/** @returns the port, or what is wrong and which key to change */
export function localPortOf(
  node: string,
  portBase: number | undefined,
  ports: Readonly<Record<string, number>>,
): number | { readonly fault: string } {
  const given = ports[node];
  if (given !== undefined) return given;
  if (portBase === undefined)
    return { fault: `node ${node} has no port: add it to brokers.ports, or set brokers.portBase` };
  const id = Number(node);
  const port = portBase + id;
  if (Number.isInteger(id) && id >= 0 && port > 0 && port <= LARGEST_PORT) return port;
  return { fault: `brokers.portBase ${portBase} and node id ${node} make no port: add the node to brokers.ports` };
}
