import type { GetServerSideProps, PageConfig } from "next";
import Head from "next/head";
import { counter } from "../visits";
import { isVisit } from "../visits/visitor";
import styles from "../visits/page.module.css";

interface Props {
  /** Null when Redis could not be asked. */
  visits: number | null;
}

export const getServerSideProps: GetServerSideProps<Props> = async ({ req, res }) => {
  res.setHeader("Cache-Control", "no-store");
  if (req.method !== "GET" && req.method !== "HEAD") {
    res.setHeader("Allow", "GET, HEAD");
    res.statusCode = 405;
    return { props: { visits: null } };
  }
  const answer = isVisit(req) ? await counter().visit() : await counter().visits();
  if ("visits" in answer) return { props: answer };
  res.statusCode = 503;
  res.setHeader("Retry-After", "5");
  return { props: { visits: null } };
};

/** Nothing on the page needs a script, so the visitor's browser is sent none and may run none. */
export const config: PageConfig = { unstable_runtimeJS: false };

export default function Home({ visits }: Props): React.JSX.Element {
  const title = visits === null ? "Visit tracker" : `${count(visits)} · Visit tracker`;
  return (
    <main className={styles.page}>
      <Head>
        <title>{title}</title>
        <meta name="description" content="Counts how often this page was opened." />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
      </Head>
      <h1 className={styles.title}>Visit tracker</h1>
      {visits === null ? (
        <p role="alert" className={styles.note}>
          The count cannot be read at the moment. Please try again in a few seconds.
        </p>
      ) : (
        <>
          <p className={styles.count}>
            <strong>{visits.toLocaleString("en")}</strong> <span>{visits === 1 ? "visit" : "visits"}</span>
          </p>
          <p className={styles.note}>Yours is counted. Reload the page and it goes up by one.</p>
        </>
      )}
    </main>
  );
}

function count(visits: number): string {
  return `${visits.toLocaleString("en")} ${visits === 1 ? "visit" : "visits"}`;
}
