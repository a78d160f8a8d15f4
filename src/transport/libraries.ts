/** ssh2 and node-ssh cost 0.1 s to import, so only a run that connects does, while `ssh -G` answers. */

export async function loadSsh2(): Promise<typeof import("ssh2")> {
  return (await import("ssh2")).default;
}

/** The only import of node-ssh. */
export async function loadNodeSsh(): Promise<typeof import("node-ssh")> {
  return import("node-ssh");
}
