/** A registry has a port for each of its identities: on the first nothing can be written. */
export const PULL_PORT = 443;
export const PUSH_PORT = 5443;
