-- As whom a server that went its own way looks up where it parted, and copies what is different.
\set password `cat :'file'`
SELECT 'CREATE ROLE rewinder' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rewinder') \gexec
ALTER ROLE rewinder LOGIN NOREPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'password';
GRANT CONNECT ON DATABASE postgres TO rewinder;
GRANT EXECUTE ON FUNCTION
  pg_ls_dir(text, boolean, boolean), pg_stat_file(text, boolean),
  pg_read_binary_file(text), pg_read_binary_file(text, bigint, bigint, boolean) TO rewinder;
