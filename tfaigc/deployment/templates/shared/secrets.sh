#!/bin/sh
# Makes what only this deployment may know, in secrets/: a certificate and bearer tokens.
#   sh secrets.sh          a token named "first"; a self-signed certificate where there is none
#   sh secrets.sh NAME     one more token; it is shown once, only its digest is kept
# For a certificate of an authority's, put its PEM files at secrets/tls.crt and secrets/tls.key.
# To withdraw a token, take its line out of secrets/tokens.map. Then restart the proxy.
set -eu
umask 077
cd "$(dirname "$0")"
name=${1:-first}
case $name in
  *[!a-z0-9-]*)
    echo "A token's name must have small letters, digits and dashes. Received: $name." >&2
    exit 2
    ;;
esac
mkdir -p secrets
touch secrets/tokens.map
if grep -qF "Bearer $name[.]" secrets/tokens.map; then
  echo "A token's name must be new. Received: $name, which is in secrets/tokens.map." >&2
  exit 2
fi
if [ ! -f secrets/tls.crt ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -keyout secrets/tls.key -out secrets/tls.crt 2>/dev/null
fi
token=$name.$(openssl rand -hex 32)
digest=$(printf 'Bearer %s' "$token" | openssl md5 -binary | openssl base64 | tr '+/' '-_' | tr -d '=')
printf '"~^Bearer %s[.]" "%s";\n' "$name" "$digest" >>secrets/tokens.map
{% if deployment.target == "docker" %}
# The containers run as whoever owns the secrets, but never as root.
owner=$(id -u):$(id -g)
if [ "$(id -u)" = 0 ]; then
  owner=65532:65532
  chown -R "$owner" secrets
fi
echo "OWNER=$owner" >.env
{% endif %}
echo "$token"
