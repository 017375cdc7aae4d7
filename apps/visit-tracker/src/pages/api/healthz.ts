import type { NextApiHandler } from "next";

/** The process answers; whether Redis does is for /readyz, since a restart of this process would not mend it. */
const handler: NextApiHandler = (_request, response) => {
  response.setHeader("Cache-Control", "no-store");
  response.json({ alive: true });
};

export default handler;
