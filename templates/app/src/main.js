import { createServer } from "./server.js";

const port = Number(process.env.PORT ?? __PORT__);
const server = createServer();

// What was begun is answered; whoever stops the pod has waited until no more comes.
for (const signal of ["SIGTERM", "SIGINT"])
  process.once(signal, () => {
    server.close();
    server.closeIdleConnections();
  });

server.listen(port, () => console.log(`listening on port ${port}`));
