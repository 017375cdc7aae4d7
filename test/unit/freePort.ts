import { type AddressInfo, createServer } from "node:net";

/** On loopback, for a server that cannot be asked which one it took. */
export const freePort = (): Promise<number> =>
  new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
