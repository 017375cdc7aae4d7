-- Applications that are no more keep their data, and nobody logs in as them.
SELECT format('ALTER ROLE %I NOLOGIN', member.rolname)
  FROM pg_auth_members JOIN pg_roles AS member ON member.oid = pg_auth_members.member
 WHERE pg_auth_members.roleid = 'applications'::regrole AND member.rolcanlogin
   AND NOT member.rolname = ANY (string_to_array(:'listed', ' ')) \gexec
SELECT pg_terminate_backend(pid)
  FROM pg_stat_activity JOIN pg_roles ON pg_roles.oid = usesysid
 WHERE NOT rolcanlogin;
