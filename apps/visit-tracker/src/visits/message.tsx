import Head from "next/head";
import styles from "./page.module.css";

export function Message({ title, text }: { title: string; text: string }): React.JSX.Element {
  return (
    <main className={styles.page}>
      <Head>
        <title>{`${title} · Visit tracker`}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
      </Head>
      <h1 className={styles.title}>{title}</h1>
      <p className={styles.note}>{text}</p>
      <p className={styles.note}>
        {/* A plain link: a client-side one would fetch the page ahead of time. */}
        <a href="/">To the count</a>
      </p>
    </main>
  );
}
