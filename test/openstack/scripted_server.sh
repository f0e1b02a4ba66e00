#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The scripted server does what its script says, faults included, and tells what was not kept.
set -euo pipefail
PASSED=0
server=
end() {
    local status=$?
    [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
    if [ $status = 0 ]; then echo "$PASSED passed, 0 failed"; else echo "$PASSED passed, 1 failed"; fi
    exit $status
}
trap end EXIT
ok() { # ok WHAT COMMAND...
    local what=$1
    shift
    if "$@"; then PASSED=$((PASSED + 1)); else echo "not so: $what ($*)"; exit 1; fi
}
serve() { # serve [OPTION...] <SCRIPT : sets URL
    cat >script
    "$ROOT/test/lab/scripted-server" --log log "$@" script >url 2>verdict &
    server=$!
    for _ in $(seq 100); do [ ! -s url ] && kill -0 $server 2>/dev/null || break; sleep 0.05; done
    URL=$(cat url)
}
stop() { # stop: sets STATUS, what the server thinks of it all
    kill "$server"
    STATUS=0
    wait "$server" || STATUS=$?
    server=
}
get() { curl -sS --noproxy '*' --max-time 10 "$@" 2>error; }
gets() { # gets STATUS CURL-ARGUMENT... : curl ends with that status (an extended regular expression)
    local want=$1 status=0
    shift
    get "$@" >answer || status=$?
    [[ $status =~ ^($want)$ ]] || { echo "curl: $status"; cat error; return 1; }
}
logged() { jq -se "$1" log >/dev/null; }

serve <<'X'
# a token, twice; then lists and faults
{"expect": "POST /v3/auth/tokens", "body": {"auth": {"name": "a"}}, "times": 2, "status": 201,
 "set": {"X-Subject-Token": "t1"}, "json": {"catalog": "@URL@/v2.1"}}
{"expect": "GET /servers*", "headers": {"x-auth-token": "t1", "x-old": null}, "times": 0,
 "list": {"key": "servers", "count": 10000, "max": 400, "links": true, "item": {"id": "@ID@", "name": "s@N@"}}}
{"expect": "GET /v1/volumes", "times": 0, "list": {"key": "volumes", "count": 25, "style": "page", "item": {"id": "@N@"}}}
{"expect": "GET /v1/box", "times": 0, "list": {"key": null, "count": 12, "max": 10, "item": {"name": "o@N@"}}}
{"expect": "GET /half", "json": {"a": "0123456789"}, "cut": 8}
{"expect": "POST /lost", "cut": "unanswered", "reset": true}
{"expect": "POST /unread", "cut": "unread"}
{"expect": "GET /slow", "text": "late", "delay": 0.5}
{"expect": "GET /drops", "size": 200, "trickle": 0.1}
{"expect": "GET /raw", "raw": "what?\r\n"}
{"expect": "GET /busy", "status": 429, "set": {"Retry-After": "2"}, "close": true}
{"cut": "connect", "reset": true}
{"expect": "GET /never"}
X
ok 'a request that fits is answered' test "$(get -d '{"auth":{"name":"a","more":1}}' "$URL/v3/auth/tokens" -o answer -w '%{http_code} %header{x-subject-token}')" = '201 t1'
ok 'the answer knows the address of the server' grep -q "\"$URL/v2.1\"" answer
get -d '{"auth":{"name":"a"}}' "$URL/v3/auth/tokens" >answer
ok 'another body does not fit' test "$(get -d '{"auth":{"name":"b"}}' "$URL/v3/auth/tokens" -o answer -w '%{http_code}')" = 501
ok 'an unexpected request is logged without a step' logged '.[2] | .step == null and .answer == 501 and .body.auth.name == "b"'
next=$URL/servers pages=0
while [ "$next" != null ]; do
    get -H 'X-Auth-Token: t1' "$next" >>pages
    next=$(tail -n 1 pages | jq -rs 'last.servers_links[0].href')
    pages=$((pages + 1))
done
ok 'ten thousand things come in pages by their links' test "$pages $(jq -s 'map(.servers[].id) | unique | length' pages)" = '25 10000'
ok 'a header that must not be there is seen' test "$(get -H 'X-Auth-Token: t1' -H 'X-Old: 1' "$URL/servers" -o answer -w '%{http_code}')" = 501
get "$URL/v1/volumes?limit=10&page=3" >answer
ok 'pages are counted where that is the style' test true = "$(jq '.paging == {limit: 10, page: 3, totalCount: 25} and (.volumes | length == 5)' answer)"
ok 'a bare array goes on after a name' test "$(get "$URL/v1/box?marker=o10" | jq -c 'map(.name)')" = '["o11","o12"]'
ok 'an answer is cut in its middle' gets 18 "$URL/half"
ok 'what was there came' test "$(cat answer)" = '{"a": "0'
ok 'an answer is lost' gets 56 -d '{"server":{}}' "$URL/lost"
ok 'the request was read' logged 'map(select(.target == "/lost"))[0].body.server == {}'
ok 'a request is not read' gets 52 -d '{"server":{}}' "$URL/unread"
ok 'so its body is not known' logged 'map(select(.target == "/unread"))[0] | .body == null and .answer == "unread"'
ok 'an answer is late' gets 28 --max-time 0.3 "$URL/slow"
ok 'an answer comes in drops' test "$(get "$URL/drops" -o answer -w '%{size_download} %{time_total}' | awk '{print $1, ($2 > 0.3)}')" = '200 1'
ok 'what is not HTTP is sent too' gets 1 "$URL/raw"
ok 'an answer says when to come again' test "$(get "$URL/busy" -o answer -w '%{http_code} %header{retry-after} %header{connection}')" = '429 2 close'
ok 'a connection is cut unread, before or after curl takes it for made' gets '7|56' "$URL/never"
stop
ok 'a script that was not kept is a failure' test "$STATUS" = 1
ok 'and it is told what was not' grep -q 'step 13 was used 0 of 1 times: GET /never' verdict
ok 'and what was not in it' grep -q 'unexpected: POST /v3/auth/tokens' verdict

serve <<<'{"expect": "GET /a", "times": 2}'
get "$URL/a" "$URL/a" >answer
stop
ok 'a script that was kept is none' test "$STATUS" = 0
ok 'requests of one connection have one number' logged 'map(.connection) == [1, 1]'
for bad in '{"expect": "GET /", "sttus": 200}' '{"status": 200}' '{"expect": "GET /"'; do
    serve <<<"$bad"
    wait "$server" && ok 'a bad script ends the server' false
    server=
    ok 'a bad script is refused with its name' grep -q '^scripted-server: script' verdict
done

"$ROOT/test/lab/certificates" pki
tls() { # tls NAME STATUS [CURL-ARGUMENT...]
    serve --tls "pki/$1.pem" "pki/$1.key" <<<'{"expect": "GET /", "times": 0}'
    ok "certificate $1: curl ends with $2" gets "$2" "${@:3}" "${URL/https/https}/"
    stop
}
tls good 0 --cacert pki/ca.pem
tls good 60 --cacert pki/old-ca.pem
for name in expired future wrong-name self-signed old; do tls $name 60 --cacert pki/ca.pem; done
tls old 60 --cacert pki/old-ca.pem
