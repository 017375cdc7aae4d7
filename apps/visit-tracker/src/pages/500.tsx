import type { PageConfig } from "next";
import { Message } from "../visits/message";

export default function ServerError(): React.JSX.Element {
  return <Message title="Something went wrong" text="The fault is on our side. Please try again in a few seconds." />;
}

export const config: PageConfig = { unstable_runtimeJS: false };
