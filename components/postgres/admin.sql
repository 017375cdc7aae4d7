-- People's login: it looks at everything that runs, ends what should not, and has the rights of every application. It comes from
-- inside the pod only, and makes no roles: with that right it could make itself superuser.
\set password `cat :'file'`
ALTER ROLE admin LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 5 PASSWORD :'password';
GRANT pg_monitor, pg_signal_backend TO admin;
