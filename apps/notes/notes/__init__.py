"""Keeps short notes in Postgres and, where there is a Redis, counts there how often each was read."""
