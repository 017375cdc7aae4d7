-- What every server has: nobody gets into a database that is not theirs.
SELECT format('CREATE ROLE %I', name)
  FROM unnest(ARRAY['applications', 'exporter', 'admin']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE applications NOLOGIN;
-- The exporter comes by the socket, as the user that its container runs as.
ALTER ROLE exporter LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 5 PASSWORD NULL;
GRANT pg_monitor TO exporter;
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE postgres TO exporter, admin;
