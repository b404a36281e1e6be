/**
 * True for a session that was asked for by its exact name, or by `<socket>:<name>`, which tells it from those of the same name on
 * other servers. No name of a session contains a colon.
 */
export const isAskedFor = (
  wanted: readonly string[],
  { name, socket }: { name: string; socket: string },
): boolean => wanted.includes(name) || wanted.includes(`${socket}:${name}`)
