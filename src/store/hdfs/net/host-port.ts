// `host:port` as one text, with brackets around an IPv6 address.

export function addressOf(hostPort: string): { readonly host: string; readonly port: number } {
  const colon = hostPort.lastIndexOf(':');
  const host = hostPort.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host, port: Number(hostPort.slice(colon + 1)) };
}

export function hostPortOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
