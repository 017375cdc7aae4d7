import type { PageConfig } from "next";
import { Message } from "../visits/message";

export default function NotFound(): React.JSX.Element {
  return <Message title="Page not found" text="There is only one page here: the count of its visits." />;
}

export const config: PageConfig = { unstable_runtimeJS: false };
