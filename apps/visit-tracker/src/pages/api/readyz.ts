import type { NextApiHandler } from "next";
import { counter } from "../../visits";

const WITHIN_MS = 1000;

const handler: NextApiHandler = async (_request, response) => {
  response.setHeader("Cache-Control", "no-store");
  const reason = await counter().fault(WITHIN_MS);
  if (reason === undefined) response.json({ ready: true });
  else response.status(503).json({ ready: false, reason });
};

export default handler;
