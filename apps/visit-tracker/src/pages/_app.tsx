import type { AppProps } from "next/app";
import "../visits/base.css";

export default function App({ Component, pageProps }: AppProps): React.JSX.Element {
  return <Component {...pageProps} />;
}
