"""Asks the Patroni of this pod: to read what changed on its disk (reload), to keep to what the stack file says (settle), or
whether it knows nobody who takes the writes (leaderless)."""

import json
import os
import ssl
import sys
import urllib.request

files = os.environ.get("FILES", "/etc/postgres")
certificates = os.environ.get("CERTIFICATES", "/etc/postgres-tls")
context = ssl.create_default_context(cafile=f"{certificates}/ca.crt")
context.load_cert_chain(f"{certificates}/tls.crt", f"{certificates}/tls.key")


def ask(method, path, body=None):
    url = f"https://{os.environ.get('PATRONI_HOST', 'localhost')}:8008/{path}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, method=method, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, context=context, timeout=10) as response:
        return response.read()


if sys.argv[1] == "reload":
    ask("POST", "reload")
elif sys.argv[1] == "leaderless":
    members = json.loads(ask("GET", "cluster"))["members"]
    sys.exit(any(member["role"] in ("leader", "master", "primary") for member in members))
else:
    with open(f"{files}/dynamic.json") as file:
        wanted = json.load(file)
    found = json.loads(ask("GET", "config"))
    if any(found.get(key) != value for key, value in wanted.items()):
        ask("PATCH", "config", wanted)
