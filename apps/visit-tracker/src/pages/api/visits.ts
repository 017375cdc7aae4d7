import type { NextApiHandler } from "next";
import { counter } from "../../visits";

const handler: NextApiHandler = async (request, response) => {
  response.setHeader("Cache-Control", "no-store");
  const { method = "" } = request;
  if (!["GET", "HEAD", "POST"].includes(method)) {
    response.setHeader("Allow", "GET, HEAD, POST");
    response.status(405).json({ error: `${method} is not allowed here; GET reads the count, POST counts a visit` });
    return;
  }
  const answer = method === "POST" ? await counter().visit() : await counter().visits();
  if ("fault" in answer) {
    response.setHeader("Retry-After", "5");
    response.status(503).json({ error: answer.fault });
    return;
  }
  response.json(answer);
};

export default handler;
export const config = { api: { bodyParser: false } };
